import { readdirSync } from "node:fs"
import { basename } from "node:path"

/** `npm run bench [-- NAME [ARGUMENT…]]`: every benchmark in this folder one after the other, or the one named. */
const all = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && file !== basename(import.meta.filename))
  .map((file) => basename(file, ".ts"))
const [asked, ...given] = process.argv.slice(2)
if (asked !== undefined && !all.includes(asked)) {
  console.error(`no benchmark ${asked}; there are: ${all.join(", ")}`)
  process.exit(2)
}

process.argv.splice(2, Number.POSITIVE_INFINITY, ...given)
for (const name of asked === undefined ? all : [asked]) {
  console.log(`\n── ${name}`)
  await import(`./${name}.ts`)
}
