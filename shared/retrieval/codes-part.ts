import { type Codes, codeStride } from "#shared/exact/codes.ts"
import { checksumBytes, type Kernel } from "#shared/kernel/scan.ts"
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

export interface CodesHead {
  mean: Float32Array
  reach: number
  /** Of all rows, by the kernel. */
  checksum: Uint8Array
}

/** @throws Fault `corrupt-snapshot` where it, or the length of the rows, is not as published */
export async function readCodesHead(objects: ObjectStore, manifest: Manifest): Promise<CodesHead> {
  const { cohort, snapshot, dim, count } = manifest
  const head = await readPart(objects, manifest, "codes.head")
  if (
    head.length !== 4 * (dim + 1) + checksumBytes ||
    manifest.parts["codes.i8"]?.bytes !== count * codeStride(dim)
  ) {
    throw corrupt(cohort, snapshot, "codes.i8", "is of another shape than the manifest")
  }
  const numbers = new Float32Array(head.buffer, 0, dim + 1)
  return { mean: numbers.subarray(0, dim), reach: numbers[dim], checksum: head.subarray(4 * (dim + 1)) }
}
