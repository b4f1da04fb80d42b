import { createHash } from "node:crypto"
import { breathing } from "#shared/exact/breath.ts"

/** Of SHA-256: a damaged row goes unseen once in 2⁶⁴. */
const digestBytes = 8

/** `vectors.sha`: a short digest of each row, [size, 8] bytes, so that a row can be read without the rest. */
export async function rowDigests({
  dim,
  vectors,
}: {
  dim: number
  vectors: Float32Array
}): Promise<Uint8Array> {
  const breath = breathing()
  const bytes = new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength)
  const digests = new Uint8Array((vectors.length / dim) * digestBytes)
  for (let row = 0; row < digests.length / digestBytes; row++) {
    digests.set(digestOf(bytes.subarray(4 * dim * row, 4 * dim * (row + 1))), row * digestBytes)
    if (breath.due()) await breath.take()
  }
  return digests
}

/** Whether `bytes` are the row that was published. */
export function isRow(bytes: Uint8Array, row: number, digests: Uint8Array): boolean {
  const digest = digestOf(bytes)
  for (let i = 0; i < digestBytes; i++) if (digest[i] !== digests[row * digestBytes + i]) return false
  return true
}

function digestOf(row: Uint8Array): Uint8Array {
  return createHash("sha256").update(row).digest().subarray(0, digestBytes)
}
