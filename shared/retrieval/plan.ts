import { codeStride } from "#shared/exact/codes.ts"

/**
 * Both measured by the least of 300 searches on one core of an Intel Xeon of 2023 (2.6 GHz), 2 000 to 100 000 rows of 16
 * to 864 numbers: a scan reads codes at 10 to 17 GB/s, and a graph takes 6 to 10 ns for each number of each candidate.
 */
const scanMsPerByte = 1 / 12e6
const graphMsPerNumber = 8.3e-6

/** A scan this short is worth its certainty: a request over HTTP takes about as long without any search. */
const cheapMs = 2

/** Breadth of a graph search at the least, and in candidates for each row asked for. */
const leastEf = 64
const efPerRow = 2

export interface Question {
  /** Rows of the snapshot, and of these the ones that pass the filter. */
  count: number
  passing: number
  dim: number
  /** Rows to fetch: k, and those that may be found but must not be answered. */
  fetch: number
  hasGraph: boolean
  /** The caller demands an exact answer. */
  exact: boolean
}

export type Plan = { plan: "exact" } | { plan: "exact-filtered" } | { plan: "hnsw"; ef: number }

/**
 * How a search is to be answered. Where a filter bars any row, the rest are scanned: that takes no longer than a scan
 * of all, and a graph would lose neighbors in a way that nobody sees. A graph is asked only where a scan is not cheap
 * and takes longer.
 */
export function plan({ count, passing, dim, fetch, hasGraph, exact }: Question): Plan {
  if (passing < count) return { plan: "exact-filtered" }
  const ef = Math.max(leastEf, efPerRow * fetch)
  const scanMs = count * codeStride(dim) * scanMsPerByte
  const graphMs = ef * dim * graphMsPerNumber
  if (exact || !hasGraph || scanMs <= Math.max(cheapMs, graphMs)) return { plan: "exact" }
  return { plan: "hnsw", ef }
}
