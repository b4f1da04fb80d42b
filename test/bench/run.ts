import { readdirSync } from "node:fs"
import { basename } from "node:path"

/** `npm run bench [-- NAME…]`: runs every benchmark in this folder, or those named, one after the other. */
const all = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && file !== basename(import.meta.filename))
  .map((file) => basename(file, ".ts"))
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(", ")}; there are: ${all.join(", ")}`)
  process.exit(2)
}

for (const name of asked.length > 0 ? asked : all) {
  console.log(`\n── ${name}`)
  await import(`./${name}.ts`)
}
