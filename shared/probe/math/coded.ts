import { makeCodes, makeCodesNow } from "#shared/exact/codes.ts"
import type { Approximation } from "#shared/exact/scan.ts"
import { mostRows } from "#shared/kernel/scan.ts"
import {
  doubtOf,
  measured,
  type Nearest,
  nearest,
  type Points,
  squaredDistance,
  squaredLengths,
} from "./nearest.ts"
import { smallest } from "./smallest.ts"

/** Points with codes of them, int8, in WebAssembly memory: a quarter of the points' own again. */
export interface Coded {
  points: Points
  codes: Approximation
  /** |p|² of each point. */
  squares: Float64Array
  /** What the codes leave of each point, ‖r‖. */
  residuals: Float64Array
}

/** No float32 product of numbers of such a square length, and no sum of squares, is beyond its range. */
const longest = 2 ** 60

/**
 * Prepares points that many queries will ask: 160 ms for 10 000 × 864, the time of about ten that do without. Undefined
 * where a point lies so far out that its codes could not be trusted.
 */
export async function coded(points: Points): Promise<Coded | undefined> {
  const squares = squaredLengths(points)
  if (!trusted(squares)) return undefined
  return codedBy(points, squares, await makeCodes({ dim: points.columns, vectors: points.values }))
}

/** `nearest` of each query, at one go. @param ready the points, where they are prepared already */
export function nearestOfEach(points: Points, queries: Points, count: number, ready?: Coded): Nearest[] {
  const codes = ready ?? (queries.rows >= worthCodes ? codedNow(points) : undefined)
  return Array.from({ length: queries.rows }, (_, q) => {
    const query = queries.values.subarray(q * queries.columns, (q + 1) * queries.columns)
    return codes ? nearestCoded(codes, query, count) : nearest(points, query, count)
  })
}

function codedNow(points: Points): Coded | undefined {
  const squares = squaredLengths(points)
  if (!trusted(squares)) return undefined
  return codedBy(points, squares, makeCodesNow({ dim: points.columns, vectors: points.values }))
}

/** As many take as long without as the codes take to make. */
const worthCodes = 10

function codedBy(points: Points, squares: Float64Array, codes: Approximation): Coded {
  return { points, codes, squares, residuals: squares.map((_, row) => codes.residual(row)) }
}

function trusted(squares: Float64Array): boolean {
  return squares.every((square) => square < longest)
}

/**
 * `nearest`, the very same rows and distances, from a twentieth of the time: |q − p|² = |q|² + |p|² − 2 q·p, of which
 * the kernel tells q·p with a bound on its error. Whatever may be among the nearest by that bound is measured.
 */
export function nearestCoded(
  { points, codes, squares, residuals }: Coded,
  query: Float32Array,
  count: number,
): Nearest {
  const { values, rows, columns } = points
  const [square] = squaredLengths({ values: query, rows: 1, columns })
  if (!(square < longest)) return nearest(points, query, count)
  const { bytes, base, unit, spread, slack } = codes.terms(query)
  const { query: coded, found, scan } = codes.kernel
  const doubt = doubtOf(columns)
  const atMost = smallest(Math.min(count, rows))
  const last = atMost.values.length - 1
  const candidates: number[] = []
  const least: number[] = []
  // The least that |q − p|² can be is (|q|² + |p|²) less − shift − twice (score + spread ‖r‖).
  const less = 1 - doubt
  const shift = 2 * (base + slack)
  const twice = 2 * unit
  let limit = Number.POSITIVE_INFINITY
  coded.set(bytes)
  for (let first = 0; first < rows; first += mostRows) {
    const scanned = scan({ first, count: Math.min(mostRows, rows - first) }, Number.NEGATIVE_INFINITY, 0)
    for (let i = 0; i < scanned; i++) {
      const row = found.rows[2 * i]
      const sum = square + squares[row]
      const wide = spread * residuals[row]
      const at = found.scores[2 * i + 1] + wide
      const lowest = sum * less - shift - twice * at
      if (lowest > limit) continue
      candidates.push(row)
      least.push(lowest)
      atMost.offer(lowest + 2 * (doubt * sum + 2 * slack + twice * wide), row)
      limit = atMost.values[last]
    }
  }
  const best = smallest(last + 1)
  const farthest = atMost.values[last]
  // By row, since of equally near ones the first counts.
  const left = candidates.filter((_, i) => least[i] <= farthest).sort((a, b) => a - b)
  for (const row of left) best.offer(squaredDistance(query, values, row * columns, columns), row)
  return measured(best)
}
