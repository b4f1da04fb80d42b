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

/** Of one call, so that the event loop need not wait for more than about 0.1 ms beyond its turn. */
const bytesPerCall = 2 ** 20

/** Scores all rows, or those of `rows`, and keeps those whose bound reaches the k-th best lower bound so far. */
export async function scan(
  { size, stride, kernel, residual, terms }: Approximation,
  query: Float32Array,
  { k, rows }: { k: number; rows?: Uint32Array },
): Promise<Candidates> {
  const { bytes, base, unit, spread, slack } = terms(query)
  const best = topK(k)
  const candidates: Candidates = { leaders: new Uint32Array(), rows: [], upper: [] }
  const count = rows ? rows.length : size
  const most = Math.max(4, Math.min(mostRows, Math.floor(bytesPerCall / stride)))
  const breath = breathing()
  kernel.query.set(bytes)
  let n = 0
  for (let start = 0; start < count; start += n) {
    // Few rows at first: without a floor every one of them comes back.
    n = Math.min(most, Math.max(64, start), count - start)
    const stretch: Stretch = rows ? { list: rows.subarray(start, start + n) } : { first: start, count: n }
    const floor = (best.floor() - base - slack) / unit
    const found = kernel.scan(stretch, floor, spread)
    for (let i = 0; i < found; i++) {
      const row = kernel.found.rows[2 * i]
      const score = base + unit * kernel.found.scores[2 * i + 1]
      const error = unit * spread * residual(row) + slack
      candidates.rows.push(row)
      candidates.upper.push(score + error)
      best.offer(row, score - error)
    }
    if (breath.due()) {
      await breath.take()
      // Another search may have used the kernel meanwhile.
      kernel.query.set(bytes)
    }
  }
  candidates.leaders = Uint32Array.from(best.best(), ({ row }) => row)
  return candidates
}
