import { type Smallest, smallest } from "./smallest.ts"

/** Points as rows of numbers, row-major. */
export interface Points {
  values: Float32Array
  rows: number
  columns: number
}

/** The nearest rows to one query, nearest first; of equally near ones the first row first. */
export interface Nearest {
  rows: Uint32Array
  distances: Float64Array
}

/** The `count` points (all, if fewer) that lie nearest to a query by Euclidean distance. Reads every point once. */
export function nearest(points: Points, query: Float32Array, count: number): Nearest {
  const { values, rows, columns } = points
  const best = smallest(Math.min(count, rows))
  for (let row = 0; row < rows; row++) best.offer(squaredDistance(query, values, row * columns, columns), row)
  return measured(best)
}

/**
 * More, as a share of |q|² + |p|², than a sum of `columns` products can be off by in any order (Higham 2002, section
 * 3.1), four sums over.
 */
export function doubtOf(columns: number): number {
  return 4 * (columns + 8) * Number.EPSILON
}

/** The nearest by their squared distances. */
export function measured({ values, rows }: Smallest): Nearest {
  return { rows, distances: values.map(Math.sqrt) }
}

/** |p|² of each point. */
export function squaredLengths({ values, rows, columns }: Points): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0
    for (let i = row * columns; i < (row + 1) * columns; i++) sum += values[i] * values[i]
    return sum
  })
}

/** |q − p|² of the point whose numbers start at `at`. */
export function squaredDistance(
  query: Float32Array,
  values: Float32Array,
  at: number,
  columns: number,
): number {
  // Four running sums, as in `dot`. No destructuring here: it takes twice as long.
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  const whole = columns - (columns % 4)
  let c = 0
  for (; c < whole; c += 4) {
    const d0 = query[c] - values[at + c]
    const d1 = query[c + 1] - values[at + c + 1]
    const d2 = query[c + 2] - values[at + c + 2]
    const d3 = query[c + 3] - values[at + c + 3]
    s0 += d0 * d0
    s1 += d1 * d1
    s2 += d2 * d2
    s3 += d3 * d3
  }
  for (; c < columns; c++) s0 += (query[c] - values[at + c]) ** 2
  return s0 + s1 + (s2 + s3)
}
