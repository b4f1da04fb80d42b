/** Assembles each .wat of this folder to a .wasm beside it, or in another folder: `node shared/kernel/build.mjs [FOLDER]`. Both are committed. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import wabt from "wabt"

const folder = import.meta.dirname
const [, , to = folder] = process.argv
const assembler = await wabt()
for (const file of readdirSync(folder).filter((name) => name.endsWith(".wat"))) {
  const module = assembler.parseWat(file, readFileSync(join(folder, file), "utf8"), { simd: true })
  module.validate()
  const { buffer } = module.toBinary({})
  writeFileSync(join(to, file.replace(".wat", ".wasm")), buffer)
  console.log(`${file}: ${buffer.length} bytes`)
}
