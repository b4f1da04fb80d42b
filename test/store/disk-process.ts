import { diskStore } from "#shared/store/disk.ts"
import { raise } from "#test/contracts/object-store.ts"

/** Another process at the same store: `write FOLDER` writes until it is killed, `raise FOLDER TIMES` counts up. */
const [verb, folder, times] = process.argv.slice(2)
const store = diskStore(folder)

if (verb === "raise") await raise(store, "counter", Number(times))
else if (verb === "write") {
  for (let i = 0; ; i++) {
    if (i === 3) console.log("writing")
    const bytes = new Uint8Array(300_000).fill(i % 251)
    await Promise.all([store.put(`kill/n${i}`, bytes), store.put("kill/same", bytes)])
  }
} else throw new Error(`no verb ${verb}`)
