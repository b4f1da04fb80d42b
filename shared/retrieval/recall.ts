import type { VectorIndex } from "./vector-index.ts"

/**
 * Share of the true ten nearest, as `exact` knows them, that `index` finds at breadth `ef`, over at most 100 rows as
 * queries, spread evenly; a row is not counted as its own neighbor, and one as near as the tenth counts as well. 1 for
 * an index of one row.
 */
export async function recallAt10(
  index: VectorIndex,
  { exact, vectors, ef }: { exact: VectorIndex; vectors: Float32Array; ef: number },
): Promise<number> {
  const { dim, size } = index
  const queries = Math.min(100, size)
  let wanted = 0
  let found = 0
  for (let q = 0; q < queries; q++) {
    const row = Math.floor((q * size) / queries)
    const query = vectors.subarray(row * dim, (row + 1) * dim)
    const others = async (from: VectorIndex) =>
      (await from.search(query, { k: 11, ef })).found.filter((other) => other.row !== row).slice(0, 10)
    const truth = await others(exact)
    wanted += truth.length
    // Of rows equally near any will do. Their scores differ by rounding, float32's at most.
    const least = (truth.at(-1)?.score ?? 0) - 1e-6
    found += (await others(index)).filter(({ score }) => score >= least).length
  }
  return wanted === 0 ? 1 : found / wanted
}
