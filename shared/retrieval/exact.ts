import { dot } from "#shared/vector.ts"
import { checkQuery } from "./query.ts"
import { topK } from "./top-k.ts"
import type { VectorIndex } from "./vector-index.ts"

/** Scores every row, or every row of `rows`; `vectors` is [size, dim], each row of unit length, and is not copied. */
export function exactIndex({ dim, vectors }: { dim: number; vectors: Float32Array }): VectorIndex {
  const size = vectors.length / dim
  if (!Number.isInteger(size)) throw new RangeError(`${vectors.length} numbers are no rows of ${dim}`)
  return {
    dim,
    size,
    async search(query, { k, rows }) {
      checkQuery(query, dim)
      const count = rows ? rows.length : size
      const top = topK(Math.min(k, count))
      if (count === 0 || k < 1) return []
      for (let i = 0; i < count; i++) {
        const row = rows ? rows[i] : i
        if (row >= size) throw new RangeError(`row ${row} of an index of ${size}`)
        top.offer(row, dot(query, vectors, row * dim))
      }
      return top.best()
    },
  }
}
