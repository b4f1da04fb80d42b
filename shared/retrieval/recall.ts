import type { VectorIndex } from "./vector-index.ts"

/** What issue 5 asks of a graph beside an exact scan: recall@10. */
export const leastRecall = 0.99

/** Breadths of a graph search that are tried; twice the breadth takes twice the time. */
const breadths = [64, 128, 256, 512, 1024]

export interface Calibrated {
  ef: number
  recallAt10: number
}

/**
 * The least breadth at which a graph finds enough, and what it finds there; else the greatest. How broadly it must be
 * searched is up to the vectors: rows in clusters are found at 64, rows that lie anywhere in many dimensions are not.
 * Recall@10 is the share of the true ten nearest, as `exact` knows them, over at most 100 rows as queries, spread
 * evenly; a row is not counted as its own neighbor, and one as near as the tenth counts as well. 1 for an index of one row.
 */
export async function calibrate(
  index: VectorIndex,
  { exact, vectors }: { exact: VectorIndex; vectors: Float32Array },
): Promise<Calibrated> {
  const { dim, size } = index
  const queries = Math.min(100, size)
  const rows = Array.from({ length: queries }, (_, q) => Math.floor((q * size) / queries))
  const others = async (from: VectorIndex, row: number, ef?: number) => {
    const query = vectors.subarray(row * dim, (row + 1) * dim)
    const { found } = await from.search(query, { k: 11, ef })
    return found.filter((other) => other.row !== row).slice(0, 10)
  }
  let wanted = 0
  // Of rows equally near any will do. Their scores differ by rounding, float32's at most.
  const least: number[] = []
  for (const row of rows) {
    const truth = await others(exact, row)
    wanted += truth.length
    least.push((truth.at(-1)?.score ?? 0) - 1e-6)
  }
  let calibrated: Calibrated = { ef: 0, recallAt10: 0 }
  for (const ef of breadths) {
    let found = 0
    for (const [q, row] of rows.entries()) {
      found += (await others(index, row, ef)).filter(({ score }) => score >= least[q]).length
    }
    calibrated = { ef, recallAt10: wanted === 0 ? 1 : found / wanted }
    if (calibrated.recallAt10 >= leastRecall) break
  }
  return calibrated
}
