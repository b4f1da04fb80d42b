import { openKernel } from "#shared/kernel/scan.ts"
import type { Approximation } from "./scan.ts"

/**
 * The rows as they are, in f32: four times the memory and time of codes, and a bound about 100 times tighter. A sum of n
 * products in f32 errs by at most n · 2⁻²⁴ ‖q‖ ‖x‖ (1 + n · 2⁻²⁴) in whatever order it is added; eight more for the
 * query, scaled to length 1 and rounded, and for the floor that scores are compared with.
 */
export function openFloats({ dim, vectors }: { dim: number; vectors: Float32Array }): Approximation {
  const stride = Math.ceil(dim / 4) * 16
  const size = vectors.length / dim
  if (!Number.isInteger(size)) throw new RangeError(`these are no rows of ${dim}`)
  const kernel = openKernel({ stride, count: size, queryBytes: stride, scan: "floats" })
  const numbers = new Float32Array(kernel.rows.buffer, kernel.rows.byteOffset, kernel.rows.length / 4)
  let reach = 1e-20
  for (let row = 0; row < size; row++) {
    const vector = vectors.subarray(row * dim, (row + 1) * dim)
    numbers.set(vector, (row * stride) / 4)
    const length = lengthOf(vector)
    if (!(length < 2 ** 40)) throw new RangeError(`row ${row} is no unit vector`)
    reach = Math.max(reach, length)
  }
  const share = (dim + 8) * 2 ** -24
  return {
    dim,
    size,
    stride,
    kernel,
    residual: () => 0,
    terms(query) {
      const length = lengthOf(query)
      const unit = length || 1
      const scaled = new Float32Array(stride / 4)
      for (let i = 0; i < dim; i++) scaled[i] = query[i] / unit
      const slack = share * (1 + share) * length * reach
      return { bytes: new Uint8Array(scaled.buffer), base: 0, unit, spread: 0, slack }
    },
  }
}

function lengthOf(vector: Float32Array): number {
  let sum = 0
  for (let i = 0; i < vector.length; i++) sum += vector[i] * vector[i]
  return Math.sqrt(sum)
}
