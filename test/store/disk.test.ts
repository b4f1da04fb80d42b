import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync } from "node:fs"
import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { diskStore } from "#shared/store/disk.ts"
import { isAlive, thisProcess } from "#shared/store/owner.ts"
import { objectStoreContract } from "#test/contracts/object-store.ts"

const folder = mkdtempSync(join(tmpdir(), "voxkin-disk-"))
afterAll(() => rm(folder, { recursive: true }))

const one = Uint8Array.of(1)

describe("disk", () => {
  objectStoreContract("disk", async () => diskStore(join(folder, "contract")), { keyBelowKey: "refused" })

  test("makes its folder on the first write, not before", async () => {
    const place = join(folder, "deep/late")
    const store = diskStore(place)
    await store.list("")
    await store.get("a")
    await store.delete("a")
    expect(await readdir(folder)).not.toContain("deep")
    await store.put("a/b", one)
    expect(await readFile(join(place, "a/b"))).toEqual(Buffer.of(1))
  })

  test("lists only what could be a key: not its own drafts, nor what a person left there", async () => {
    const place = join(folder, "foreign")
    const store = diskStore(place)
    await store.put("a/b", one)
    await writeFile(join(place, "my notes.txt"), "")
    await writeFile(join(place, "a/.DS_Store"), "")
    await writeFile(join(place, ".tmp/half"), "")
    expect(await store.list("")).toEqual(["a/b"])
  })

  test("a refused write leaves no draft", async () => {
    const place = join(folder, "refused")
    const store = diskStore(place)
    await store.put("a/b", one)
    await expect(store.put("a", one)).rejects.toMatchObject({ code: "key-is-folder" })
    await expect(store.put("a/b", one, { ifAbsent: true })).rejects.toMatchObject({ kind: "conflict" })
    await expect(store.put("a/b", one, { ifMatch: "other" })).rejects.toMatchObject({ kind: "conflict" })
    expect(await readdir(join(place, ".tmp"))).toEqual([])
    expect(await readdir(join(place, ".locks"))).toEqual([])
  })

  test("deleting takes emptied folders away while others write into them", async () => {
    const place = join(folder, "emptied")
    const store = diskStore(place)
    const writeAndDelete = async (name: string) => {
      for (let i = 0; i < 40; i++) {
        await store.put(`x/y/${name}`, one)
        expect(await store.has(`x/y/${name}`)).toBe(true)
        await store.delete(`x/y/${name}`)
      }
    }
    await Promise.all(["a", "b", "c"].map(writeAndDelete))
    expect((await readdir(place)).sort()).toEqual([".locks", ".tmp"])
  })

  test("clears away drafts that were abandoned an hour ago, and keeps younger ones", async () => {
    const place = join(folder, "abandoned")
    await mkdir(join(place, ".tmp"), { recursive: true })
    await writeFile(join(place, ".tmp/old"), "half")
    await writeFile(join(place, ".tmp/young"), "half")
    const longAgo = Date.now() / 1000 - 3700
    await utimes(join(place, ".tmp/old"), longAgo, longAgo)
    await diskStore(place).put("a", one)
    expect(await readdir(join(place, ".tmp"))).toEqual(["young"])
  })

  test("the locks of dead processes stop nobody", async () => {
    const place = join(folder, "stale")
    const store = diskStore(place)
    await store.put("a", one)
    const dead = spawn("true")
    await once(dead, "exit")
    const { host, start } = await thisProcess()
    expect(await isAlive({ host, pid: dead.pid!, start })).toBe(false)
    // sha256("a"), as `printf a | sha256sum` prints it
    const lock = join(place, ".locks", "ca978112ca1bbdcafac231b39a23dc4d")
    await symlink(`00|${dead.pid}|${start}|${host}`, lock)
    await symlink(`01|${dead.pid}|${start}|${host}`, `${lock}.00`) // and one died while it removed that
    const { etag } = (await store.get("a"))!
    const ends = await Promise.allSettled(
      Array.from({ length: 12 }, (_, i) => diskStore(place).put("a", Uint8Array.of(i), { ifMatch: etag })),
    )
    expect(ends.filter((end) => end.status === "fulfilled")).toHaveLength(1)
    expect(await readdir(join(place, ".locks"))).toEqual([])
  })

  test("a process killed while it writes leaves whole objects only", async () => {
    const place = join(folder, "killed")
    for (let round = 0; round < 3; round++) {
      const writer = another("write", place)
      await once(writer.stdout!, "data")
      await new Promise((wait) => setTimeout(wait, 200 + 37 * round))
      writer.kill("SIGKILL")
      await once(writer, "exit")
      const store = diskStore(place)
      const found = await store.list("kill/")
      expect(found.length).toBeGreaterThan(3)
      for (const key of found) {
        const { bytes } = (await store.get(key))!
        expect(bytes.length).toBe(300_000)
        expect(Buffer.compare(bytes, new Uint8Array(300_000).fill(bytes[0]))).toBe(0)
      }
      await store.put("kill/same", one)
      await store.delete("kill/same")
    }
  }, 30_000)

  test("processes that raise one counter lose no step", async () => {
    const place = join(folder, "counted")
    await diskStore(place).put("counter", new TextEncoder().encode("0"))
    const racers = Array.from({ length: 3 }, () => another("raise", place, "60"))
    const codes = await Promise.all(racers.map(async (racer) => (await once(racer, "exit"))[0]))
    expect(codes).toEqual([0, 0, 0])
    expect(await readFile(join(place, "counter"), "utf8")).toBe("180")
  }, 30_000)

  test.skipIf(process.getuid?.() === 0)("says which key it may not write (skipped for root)", async () => {
    const place = join(folder, "forbidden")
    await mkdir(place, { mode: 0o500 })
    await expect(diskStore(place).put("a", one)).rejects.toMatchObject({
      kind: "unavailable",
      code: "no-access",
      message: expect.stringMatching(/ a .*access to the data folder/),
    })
  })
})

function another(...args: string[]): ChildProcess {
  const script = join(import.meta.dirname, "disk-process.ts")
  return spawn(process.execPath, ["--import", "tsx", script, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  })
}
