/** Assembles kernel.wat into kernel.wasm beside it: `node shared/exact/kernel/build.mjs`. Both are committed. */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import wabt from "wabt"

const source = new URL("kernel.wat", import.meta.url)
const module = (await wabt()).parseWat("kernel.wat", readFileSync(source, "utf8"), { simd: true })
module.validate()
const { buffer } = module.toBinary({})
const to = process.argv[2] ?? fileURLToPath(new URL("kernel.wasm", import.meta.url))
writeFileSync(to, buffer)
console.log(`${buffer.length} bytes`)
