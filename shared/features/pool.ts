import type { Tokens } from "#shared/encoder/encoder.ts"
import { Fault } from "#shared/errors.ts"
import { unit } from "#shared/vector.ts"
import type { Features, Pooled, Pooling, Receipt } from "./features.ts"

/** The features of a series: what the encoder returned for it, and the mean of its patch tokens. */
export function featuresOf({ cls, patches, grid }: Tokens, receipt: Receipt): Features {
  const dim = cls.length
  const count = grid[0] * grid[1] * grid[2]
  // Float64: 25 000 tokens added up in float32 would lose four digits.
  const sum = new Float64Array(dim)
  for (let start = 0; start < count * dim; start += dim)
    for (let d = 0; d < dim; d++) sum[d] += patches[start + d]
  return { cls, mean: Float32Array.from(sum, (s) => s / count), patches, grid, receipt }
}

/** The unit vector that is indexed or queried. @throws Fault `zero-vector` when the pooled features have no direction */
export function vectorOf(pooled: Pooled, pooling: Pooling): Float32Array {
  const vector = unit(pooled[pooling])
  if (vector) return vector
  const { series, encoder } = pooled.receipt
  throw new Fault(
    "invalid",
    "zero-vector",
    `the ${pooling} features of ${series} under ${encoder.id} are zero or not finite, so they point nowhere: embed the series with another encoder, or leave it out`,
  )
}
