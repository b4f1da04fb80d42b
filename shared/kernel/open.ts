import { readFileSync } from "node:fs"

// Compiled once, on first use; instances share the code.
const modules = new Map<string, WebAssembly.Module>()

/** The functions of a `.wasm` of this folder, over zeroed memory of so many bytes that is theirs alone. */
export function openModule<Exports>(name: string, bytes: number): { exports: Exports; buffer: ArrayBuffer } {
  const pages = Math.max(1, Math.ceil(bytes / 65_536))
  if (pages > mostPages) throw new RangeError(`${bytes} bytes exceed the 4 GiB of a WebAssembly memory`)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const module =
    modules.get(name) ?? new WebAssembly.Module(readFileSync(new URL(`${name}.wasm`, import.meta.url)))
  modules.set(name, module)
  const { exports } = new WebAssembly.Instance(module, { kernel: { memory } })
  return { exports: exports as Exports, buffer: memory.buffer }
}

/** Of 64 KiB. */
export const mostPages = 65_536
