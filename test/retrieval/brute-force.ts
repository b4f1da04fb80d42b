import type { Found } from "#shared/exact/top-k.ts"

/** The plain definition: score all, sort all. Written apart from the code it judges. */
export function bruteForce(
  vectors: Float32Array,
  query: Float32Array,
  { k, rows }: { k: number; rows?: ArrayLike<number> },
): Found[] {
  const dim = query.length
  const all = rows ? Array.from(rows) : Array.from({ length: vectors.length / dim }, (_, row) => row)
  return all
    .map((row) => {
      let score = 0
      for (let i = 0; i < dim; i++) score += query[i] * vectors[row * dim + i]
      return { row, score }
    })
    .sort((a, b) => b.score - a.score || a.row - b.row)
    .slice(0, k)
}
