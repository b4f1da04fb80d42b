import { breathing } from "#shared/exact/breath.ts"
import { makeCodes } from "#shared/exact/codes.ts"
import { openFloats } from "#shared/exact/floats.ts"
import { type Approximation, type Scan, scan } from "#shared/exact/scan.ts"
import { topK } from "#shared/exact/top-k.ts"
import { dot } from "#shared/vector.ts"
import { checkQuery } from "./query.ts"
import type { VectorIndex } from "./vector-index.ts"

/** The scores of some rows, in double precision; from memory, or from wherever the f32 vectors lie. */
export type Score = (query: Float32Array, rows: Uint32Array) => Float64Array | Promise<Float64Array>

/**
 * The index over `vectors`, [size, dim], each row of unit length; they are not copied, and codes of them (or, with
 * `floats`, the numbers themselves) are kept in WebAssembly memory beside them. Lets the event loop run meanwhile.
 * Floats pay only where many rows lie so close together, and so far from the mean, that codes cannot tell them apart.
 */
export async function exactIndex(
  source: { dim: number; vectors: Float32Array },
  precision: "codes" | "floats" = "codes",
): Promise<VectorIndex> {
  const approximation = precision === "codes" ? await makeCodes(source) : openFloats(source)
  return exactOver(scanOf(approximation), scoreIn(source.vectors))
}

/** The first look of an exact search, wherever the rows lie. */
export interface Scanned {
  dim: number
  size: number
  scan: Scan
}

export function scanOf(approximation: Approximation): Scanned {
  const { dim, size } = approximation
  return { dim, size, scan: (query, options) => scan(approximation, query, options) }
}

/** Scores from vectors in memory: `dot` of the query and each row. */
export function scoreIn(vectors: Float32Array): Score {
  return (query, rows) => {
    const scores = new Float64Array(rows.length)
    for (let i = 0; i < rows.length; i++) scores[i] = dot(query, vectors, rows[i] * query.length)
    return scores
  }
}

/** Rows scored between two looks at the clock: about 0.2 ms at 864 numbers. */
const batch = 256

/**
 * Exact: the same rows in the same order as scoring every row with `score`. A scan leaves the rows that may be among
 * the best; those are scored, the likeliest first, until no other can reach the k-th best.
 */
export function exactOver({ dim, size, scan }: Scanned, score: Score): VectorIndex {
  return {
    dim,
    size,
    async search(query, { k, rows }) {
      checkQuery(query, dim)
      const most = Math.min(k, rows ? rows.length : size)
      if (most < 1) return { found: [], rescored: 0 }
      const candidates = await scan(query, { k: most, rows })

      const top = topK(most)
      const breath = breathing()
      let rescored = 0
      const rescore = async (some: Uint32Array) => {
        if (breath.due()) await breath.take()
        const scores = await score(query, some)
        for (const [i, row] of some.entries()) top.offer(row, scores[i])
        rescored += some.length
      }
      const { leaders } = candidates
      for (let i = 0; i < leaders.length; i += batch) await rescore(leaders.subarray(i, i + batch))
      const led = new Set(leaders)
      let waiting: number[] = []
      for (const [i, row] of candidates.rows.entries()) {
        if (candidates.upper[i] < top.floor() || led.has(row)) continue
        waiting.push(row)
        if (waiting.length < batch) continue
        await rescore(Uint32Array.from(waiting))
        waiting = []
      }
      if (waiting.length > 0) await rescore(Uint32Array.from(waiting))
      return { found: top.best(), rescored }
    },
  }
}
