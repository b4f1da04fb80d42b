import { readFileSync } from "node:fs"
import { inflateRawSync } from "node:zlib"

/** One array of an .npz file, in C order. */
export interface NpyArray {
  shape: number[]
  data: Float32Array | Float64Array | Int32Array | Int16Array | Uint16Array | Uint8Array
}

const types = {
  "<f4": Float32Array,
  "<f8": Float64Array,
  "<i4": Int32Array,
  "<i2": Int16Array,
  "<u2": Uint16Array,
  /** float16, as its bits */
  "<f2": Uint16Array,
  "|u1": Uint8Array,
  "|b1": Uint8Array,
}

/** Reads what numpy.savez and savez_compressed write: a zip whose members are stored or deflated .npy arrays. */
export function readNpz(path: string): Record<string, NpyArray> {
  const file = readFileSync(path)
  // End of central directory (zip APPNOTE 4.3.16): its last 22 bytes, as numpy writes no comment.
  const end = file.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"))
  if (end < 0) throw new Error(`${path} is no zip file`)
  const arrays: Record<string, NpyArray> = {}
  let at = file.readUInt32LE(end + 16)
  for (let left = file.readUInt16LE(end + 10); left > 0; left--) {
    const method = file.readUInt16LE(at + 10)
    const size = file.readUInt32LE(at + 20)
    const nameLength = file.readUInt16LE(at + 28)
    const local = file.readUInt32LE(at + 42)
    const name = file.toString("utf8", at + 46, at + 46 + nameLength)
    // The local header repeats the name and may carry an extra field of another length (zip64).
    const start = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28)
    if (size === 0xffffffff) throw new Error(`${path}: ${name} is 4 GiB or more`)
    if (method !== 0 && method !== 8) throw new Error(`${path}: ${name} is compressed with method ${method}`)
    const packed = file.subarray(start, start + size)
    arrays[name.replace(/\.npy$/, "")] = readNpy(method === 8 ? inflateRawSync(packed) : packed)
    at += 46 + nameLength + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32)
  }
  return arrays
}

/** Reads the .npy format, versions 1 to 3: magic, version, header length, a Python dict, data. */
export function readNpy(bytes: Buffer): NpyArray {
  if (bytes.toString("latin1", 0, 6) !== "\x93NUMPY") throw new Error("no .npy data")
  const wide = bytes[6] > 1
  const start = wide ? 12 : 10
  const data = start + (wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8))
  const header = bytes.toString("utf8", start, data)
  const descr = header.match(/'descr': '([^']+)'/)?.[1] ?? ""
  const Type = types[descr as keyof typeof types]
  if (!Type) throw new Error(`no reader for numpy type ${descr}`)
  if (header.includes("'fortran_order': True")) throw new Error("no reader for Fortran order")
  const shape = (header.match(/'shape': \(([^)]*)\)/)?.[1] ?? "")
    .split(",")
    .filter((n) => n.trim())
    .map(Number)
  const count = shape.reduce((a, b) => a * b, 1)
  // Copied, so that the view starts on a multiple of the element's size.
  const own = new Uint8Array(bytes.subarray(data, data + count * Type.BYTES_PER_ELEMENT))
  return { shape, data: new Type(own.buffer) }
}
