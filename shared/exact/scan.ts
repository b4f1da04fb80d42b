import { type Kernel, mostRows, type Stretch } from "#shared/kernel/scan.ts"
import { breathing } from "./breath.ts"
import { topK } from "./top-k.ts"

/** Rows that a kernel scores approximately, with a bound on the error. */
export interface Approximation {
  dim: number
  size: number
  /** Bytes of a row. */
  stride: number
  kernel: Kernel
  /** A row's own part in the error: `spread` of it, in the kernel's units. */
  residual(row: number): number
  terms(query: Float32Array): Terms
}

/** How to read a kernel's scores: the true one is base + unit · score, ± (unit · spread · residual + slack). */
export interface Terms {
  /** The query as the kernel wants it. */
  bytes: Uint8Array
  base: number
  unit: number
  spread: number
  slack: number
}

/** What a scan leaves open: every row that may be among the best k, with the most that its score can be. */
export interface Candidates {
  /** The k rows with the best lower bounds. */
  leaders: Uint32Array
  rows: number[]
  upper: number[]
}

/** Looks for the candidates of one query. */
export interface Look {
  /**
   * Looks at the first of these rows of the kernel, which must hold the query, and returns at how many. `before` rows
   * of the whole lie before the kernel's first.
   */
  at(stretch: Stretch, before?: number): number
  candidates(): Candidates
}

/** Of one call, so that the event loop need not wait for more than about 0.1 ms beyond its turn. */
const bytesPerCall = 2 ** 20

export function lookFor(
  k: number,
  { stride, kernel, residual }: Pick<Approximation, "stride" | "kernel" | "residual">,
  { base, unit, spread, slack }: Terms,
): Look {
  const best = topK(k)
  const [rows, upper]: [number[], number[]] = [[], []]
  const most = Math.max(4, Math.min(mostRows, Math.floor(bytesPerCall / stride)))
  let seen = 0
  return {
    at(stretch, before = 0) {
      // Few rows at first: without a floor every one of them comes back.
      const { scanned, asked, only } = next(stretch, Math.min(most, Math.max(64, seen)))
      const found = kernel.scan(scanned, (best.floor() - base - slack) / unit, spread)
      for (let i = 0; i < found; i++) {
        const row = kernel.found.rows[2 * i]
        if (only && !holds(only, row)) continue
        const score = base + unit * kernel.found.scores[2 * i + 1]
        const error = unit * spread * residual(row) + slack
        rows.push(before + row)
        upper.push(score + error)
        best.offer(before + row, score - error)
      }
      seen += asked
      return asked
    },
    candidates: () => ({ leaders: Uint32Array.from(best.best(), ({ row }) => row), rows, upper }),
  }
}

/** Rows read in a run for each that is asked for. With fewer asked for, they come sooner alone: measured at 864 codes. */
const mostIdle = 4

/**
 * What to scan of at most the first `n` rows of a stretch. Rows that lie close by are read as one run, in which `only`
 * those of the list count: memory is read in order twice as fast as with gaps.
 */
function next(stretch: Stretch, n: number): { scanned: Stretch; asked: number; only?: Uint32Array } {
  if (!("list" in stretch)) {
    const asked = Math.min(n, stretch.count)
    return { scanned: { ...stretch, count: asked }, asked }
  }
  const list = stretch.list.subarray(0, n)
  const [first] = list
  const near = list.subarray(0, below(list, first + n))
  const run = near[near.length - 1] - first + 1
  if (run > mostIdle * near.length) return { scanned: { list }, asked: list.length }
  return { scanned: { first, count: run }, asked: near.length, only: near }
}

/** How many of an ascending list are below a number. */
function below(list: Uint32Array, limit: number): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (list[middle] < limit) low = middle + 1
    else high = middle
  }
  return low
}

function holds(list: Uint32Array, row: number): boolean {
  return list[below(list, row)] === row
}

/** Which of all rows, or of those of `rows`, ascending, may be among the best k. */
export type Scan = (query: Float32Array, options: { k: number; rows?: Uint32Array }) => Promise<Candidates>

/** Scores all rows, or those of `rows`, and keeps those whose bound reaches the k-th best lower bound so far. */
export async function scan(
  approximation: Approximation,
  query: Float32Array,
  { k, rows }: { k: number; rows?: Uint32Array },
): Promise<Candidates> {
  const { size, kernel } = approximation
  const terms = approximation.terms(query)
  const look = lookFor(k, approximation, terms)
  const count = rows ? rows.length : size
  const breath = breathing()
  kernel.query.set(terms.bytes)
  for (let start = 0; start < count; ) {
    start += look.at(rows ? { list: rows.subarray(start) } : { first: start, count: count - start })
    if (breath.due()) {
      await breath.take()
      // Another search may have used the kernel meanwhile.
      kernel.query.set(terms.bytes)
    }
  }
  return look.candidates()
}
