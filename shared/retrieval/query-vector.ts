import { Fault } from "#shared/errors.ts"
import { readPooled } from "#shared/features/keep.ts"
import { vectorOf } from "#shared/features/pool.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { unit } from "#shared/vector.ts"
import type { View } from "./live.ts"
import { checkQuery } from "./query.ts"
import type { SearchRequest } from "./search.ts"

/** The query as a unit vector [dim]: the snapshot's own row, features not published yet, or what the caller gave. */
export async function queryVector(
  objects: ObjectStore,
  { snapshot: { manifest, rowOf, vectors }, deleted }: View,
  query: SearchRequest["query"],
): Promise<Float32Array> {
  const { dim, encoder, pooling, cohort } = manifest
  if ("vector" in query) return unitQuery(Float32Array.from(query.vector), dim)
  const row = rowOf.get(query.series)
  if (row !== undefined && !deleted.has(query.series)) return vectors.subarray(row * dim, (row + 1) * dim)
  const pooled = await readPooled(objects, encoder, query.series)
  if (pooled) {
    const vector = vectorOf(pooled, pooling)
    checkQuery(vector, dim)
    return vector
  }
  throw new Fault(
    "missing",
    "no-such-series",
    `there are no features of ${query.series} under cohort ${cohort}'s encoder ${encoder}: add the series first`,
  )
}

function unitQuery(vector: Float32Array, dim: number): Float32Array {
  checkQuery(vector, dim)
  const query = unit(vector)
  if (!query) {
    throw new Fault(
      "invalid",
      "bad-vector",
      "the query vector is zero and has no direction: embed the query again",
    )
  }
  return query
}
