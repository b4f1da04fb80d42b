/** Where a scan takes about a millisecond anyway, a graph gains nothing and may miss a row. */
export const exactUpTo = 10_000

/** Level-0 links per row at m 16: about how many rows the graph scores for each candidate it keeps. */
const scoredPerCandidate = 32

export interface Question {
  /** Rows of the snapshot. */
  count: number
  /** Rows to fetch: k, and those that may be found but must not be answered. */
  fetch: number
  hasGraph: boolean
  filtered: boolean
  /** The caller demands an exact answer. */
  exact: boolean
}

export type Plan = { plan: "exact" } | { plan: "exact-filtered" } | { plan: "hnsw"; ef: number }

/** How a search is to be answered. A graph is used only unfiltered, and where it scores fewer rows than a scan. */
export function plan({ count, fetch, hasGraph, filtered, exact }: Question): Plan {
  if (filtered) return { plan: "exact-filtered" }
  const ef = Math.max(64, 2 * fetch)
  if (exact || !hasGraph || count <= exactUpTo || ef * scoredPerCandidate >= count) return { plan: "exact" }
  return { plan: "hnsw", ef }
}
