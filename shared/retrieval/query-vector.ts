import * as z from "zod"
import { Fault } from "#shared/errors.ts"
import { readPooled } from "#shared/features/keep.ts"
import { vectorOf } from "#shared/features/pool.ts"
import { EncoderId, SeriesId } from "#shared/ids.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { unit } from "#shared/vector.ts"
import type { View } from "./live.ts"
import { checkQuery } from "./query.ts"

/** A series of the store, or a vector of the caller's. */
export const SearchQuery = z.union([
  z.strictObject({ series: SeriesId }),
  /**
   * `except`: the series that the vector was made from, which is not to be its own neighbor. `encoder`: which made it,
   * so that a cohort of another one refuses it, where else it would answer with neighbors that mean nothing.
   */
  z.strictObject({
    vector: z.array(z.number()).min(1).max(16_384),
    except: SeriesId.optional(),
    encoder: EncoderId.optional(),
  }),
])

/** The query as a unit vector [dim]: the snapshot's own row, features not published yet, or what the caller gave. */
export async function queryVector(
  objects: ObjectStore,
  { snapshot: { manifest, rows, vectors }, deleted }: View,
  query: z.infer<typeof SearchQuery>,
): Promise<Float32Array> {
  const { dim, encoder, pooling, cohort } = manifest
  if ("vector" in query) {
    if (query.encoder !== undefined && query.encoder !== encoder)
      throw otherEncoder(query.encoder, cohort, encoder)
    return unitQuery(Float32Array.from(query.vector), dim)
  }
  const row = rows.of(query.series)
  if (row !== undefined && !deleted.has(query.series)) return vectors.read(Uint32Array.of(row))
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

function otherEncoder(given: string, cohort: string, encoder: string): Fault {
  return new Fault(
    "conflict",
    "wrong-encoder",
    `the vector is of encoder ${given}, and cohort ${cohort} is answered by ${encoder}: embed the query with that one`,
  )
}
