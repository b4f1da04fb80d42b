import { mapBounded } from "#shared/cohort/bounded.ts"
import { type Codes, codeStride, codesIn } from "#shared/exact/codes.ts"
import type { Approximation } from "#shared/exact/scan.ts"
import { checksumBytes, type Kernel, openKernel } from "#shared/kernel/scan.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { readPart } from "./parts.ts"
import { corrupt, type Manifest } from "./snapshot.ts"

/**
 * `codes.i8` are the rows as `Codes` describes them. `codes.head` is what is needed besides, little-endian: the mean
 * as f32 [dim], the reach as f32, the kernel's checksum of the rows. By that they are checked when they are opened:
 * a SHA-256 of a large cohort's codes takes longer than all the rest.
 */
export function codesParts(codes: Codes & { kernel: Kernel }): { head: Uint8Array; rows: Uint8Array } {
  const { dim, mean, reach, rows, kernel } = codes
  const head = new Uint8Array(4 * (dim + 1) + checksumBytes)
  const numbers = new Float32Array(head.buffer, 0, dim + 1)
  numbers.set(mean)
  numbers[dim] = reach
  kernel.checksum(head.subarray(4 * (dim + 1)), 0, rows.length)
  return { head, rows }
}

/** Of one read; four under way keep two cores at it. */
const readBytes = 2 ** 23
const readsAtOnce = 4

/** Straight from the store into the kernel's memory. @throws Fault `corrupt-snapshot`, `index-too-large` */
export async function readCodes(objects: ObjectStore, manifest: Manifest): Promise<Approximation> {
  const { cohort, encoder, snapshot, dim, count } = manifest
  const head = await readPart(objects, manifest, "codes.head")
  const stride = codeStride(dim)
  const kernel = openKernel({ stride, count, queryBytes: 2 * stride, scan: "codes" })
  const { rows } = kernel
  const damaged = (what: string) => corrupt(cohort, snapshot, "codes.i8", what)
  if (head.length !== 4 * (dim + 1) + checksumBytes || manifest.parts["codes.i8"]?.bytes !== rows.length) {
    throw damaged("is of another shape than the manifest")
  }
  const key = keys.snapshotPart(cohort, encoder, snapshot, "codes.i8")
  const starts = Array.from({ length: Math.ceil(rows.length / readBytes) }, (_, i) => i * readBytes)
  const sum = new Uint8Array(checksumBytes)
  let summed = 0
  const read = new Set<number>()
  await mapBounded(starts, readsAtOnce, async (start) => {
    const end = Math.min(start + readBytes, rows.length)
    const found = await objects.get(key, { start, end, into: rows.subarray(start, end) })
    if (found?.bytes.length !== end - start) throw damaged(found ? "is not what was published" : "is missing")
    // In order, while others are on their way.
    for (read.add(start); read.delete(summed); summed += readBytes) {
      kernel.checksum(sum, summed, Math.min(summed + readBytes, rows.length))
    }
  })
  if (Buffer.compare(sum, head.subarray(4 * (dim + 1))) !== 0) throw damaged("is not what was published")
  const numbers = new Float32Array(head.buffer, 0, dim + 1)
  return codesIn(kernel, { dim, mean: numbers.subarray(0, dim), reach: numbers[dim], rows })
}
