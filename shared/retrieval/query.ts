import { Fault } from "#shared/errors.ts"

/** @throws Fault `invalid` when the query has another length than `dim` or holds NaN or infinity */
export function checkQuery(query: Float32Array, dim: number): void {
  if (query.length !== dim) {
    throw new Fault(
      "invalid",
      "wrong-dim",
      `the query vector has ${query.length} numbers, the index ${dim}: embed the query with the cohort's encoder`,
    )
  }
  // A loop: a call for each number takes ten times as long, and counts beside a search of half a millisecond.
  let zero = 0
  for (let i = 0; i < dim; i++) zero += query[i] * 0
  if (zero !== 0) {
    throw new Fault("invalid", "bad-vector", "the query vector holds NaN or infinity: embed the query again")
  }
}

/** @throws Fault `invalid` / `bad-k` unless k is a whole number from 1 to `most` */
export function checkK(k: number, most: number): void {
  if (!Number.isInteger(k) || k < 1 || k > most) {
    throw new Fault("invalid", "bad-k", `k must be a whole number from 1 to ${most}, the count of rows`)
  }
}
