import type { ObjectStore } from "#shared/store/store.ts"
import { type Codes, codeStride, codesIn } from "./exact-codes.ts"
import type { Approximation } from "./exact-scan.ts"
import { openKernel } from "./kernel/kernel.ts"
import { streamPart } from "./parts.ts"
import { corrupt, type Manifest } from "./snapshot.ts"

/**
 * `codes.i8`: the mean as f32 [dim], the reach as f32, zeros up to a multiple of 16 bytes, then the rows as `Codes`
 * describes them. All little-endian.
 */
const headBytes = (dim: number) => Math.ceil((4 * dim + 4) / 16) * 16

export function codesPart({ dim, mean, reach, rows }: Codes): Uint8Array {
  const head = headBytes(dim)
  const bytes = new Uint8Array(head + rows.length)
  const numbers = new Float32Array(bytes.buffer, 0, dim + 1)
  numbers.set(mean)
  numbers[dim] = reach
  bytes.set(rows, head)
  return bytes
}

/** Straight from the store into the kernel's memory. @throws Fault `corrupt-snapshot`, `index-too-large` */
export async function readCodes(objects: ObjectStore, manifest: Manifest): Promise<Approximation> {
  const { cohort, snapshot, dim, count, parts } = manifest
  const head = headBytes(dim)
  const stride = codeStride(dim)
  const part = parts["codes.i8"]
  if (part && part.bytes !== head + stride * count) {
    throw corrupt(cohort, snapshot, "codes.i8", "is of another shape than the manifest")
  }
  const kernel = openKernel({ stride, count, queryBytes: 2 * stride, scan: "codes" })
  const numbers = new Float32Array(head / 4)
  const top = new Uint8Array(numbers.buffer)
  await streamPart(objects, manifest, "codes.i8", (chunk, at) => {
    const above = Math.max(0, Math.min(head - at, chunk.length))
    top.set(chunk.subarray(0, above), Math.min(at, head))
    kernel.rows.set(chunk.subarray(above), at + above - head)
  })
  return codesIn(kernel, { dim, mean: numbers.subarray(0, dim), reach: numbers[dim], rows: kernel.rows })
}
