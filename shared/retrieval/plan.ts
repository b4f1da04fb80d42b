import { codeStride } from "#shared/exact/codes.ts"

/**
 * Both measured by the least of 300 searches on one core of an Intel Xeon of 2023 (2.6 GHz), 2 000 to 100 000 rows of 16
 * to 864 numbers: a scan reads codes at 10 to 17 GB/s, and a graph takes 6 to 10 ns for each number of each candidate.
 */
const scanMsPerByte = 1 / 12e6
const graphMsPerNumber = 8.3e-6

/** A scan this short is worth its certainty: a request over HTTP takes about as long without any search. */
const cheapMs = 2

/** Rows asked for beyond which a graph is searched more broadly, in proportion: it was measured with ten. */
const rowsAtEf = 32

export interface Question {
  /** Rows of the snapshot, and of these the ones that pass the filter. */
  count: number
  passing: number
  dim: number
  /** Rows to fetch: k, and those that may be found but must not be answered. */
  fetch: number
  /** The breadth at which the graph finds enough of ten; absent without a graph. */
  ef?: number
  /** The caller demands an exact answer. */
  exact: boolean
}

export type Plan = { plan: "exact" } | { plan: "exact-filtered" } | { plan: "hnsw"; ef: number }

/**
 * How a search is to be answered. Where a filter bars any row, the rest are scanned: that takes no longer than a scan
 * of all, and a graph would lose neighbors in a way that nobody sees. A graph is asked only where a scan is not cheap
 * and takes longer.
 */
export function plan({ count, passing, dim, fetch, ef: least, exact }: Question): Plan {
  if (passing < count) return { plan: "exact-filtered" }
  if (exact || least === undefined) return { plan: "exact" }
  const ef = Math.ceil(least * Math.max(1, fetch / rowsAtEf))
  const scanMs = count * codeStride(dim) * scanMsPerByte
  const graphMs = ef * dim * graphMsPerNumber
  if (scanMs <= Math.max(cheapMs, graphMs)) return { plan: "exact" }
  return { plan: "hnsw", ef }
}
