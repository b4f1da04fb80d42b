import { expect, test } from "vitest"
import { plan } from "#shared/retrieval/plan.ts"

const large = { count: 100_000, passing: 100_000, dim: 864, fetch: 10, ef: 64, exact: false }

test.each([
  ["a large cohort asks the graph", {}, { plan: "hnsw", ef: 64 }],
  ["many neighbors ask it more broadly", { fetch: 100 }, { plan: "hnsw", ef: 200 }],
  ["so many that a scan takes less are scanned for", { fetch: 1000 }, { plan: "exact" }],
  ["exact demanded is exact", { exact: true }, { plan: "exact" }],
  ["a graph that needs more breadth gets it", { ef: 128 }, { plan: "hnsw", ef: 128 }],
  ["and more for many neighbors", { ef: 128, fetch: 64 }, { plan: "hnsw", ef: 256 }],
  ["so much that a scan takes less, it is scanned", { ef: 1024 }, { plan: "exact" }],
  ["no graph, no choice", { ef: undefined }, { plan: "exact" }],
  ["a filter that bars one row is scanned for", { passing: 99_999 }, { plan: "exact-filtered" }],
  ["a filter that bars all is too", { passing: 0 }, { plan: "exact-filtered" }],
  ["27 000 rows are scanned within 2 ms", { count: 27_000, passing: 27_000 }, { plan: "exact" }],
  ["28 000 rows are not", { count: 28_000, passing: 28_000 }, { plan: "hnsw", ef: 64 }],
  ["100 000 short rows are", { dim: 144 }, { plan: "exact" }],
  ["200 000 short rows are not", { dim: 144, count: 200_000, passing: 200_000 }, { plan: "hnsw", ef: 64 }],
])("%s", (_, more, chosen) => {
  expect(plan({ ...large, ...more })).toEqual(chosen)
})
