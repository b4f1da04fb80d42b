import { setImmediate } from "node:timers/promises"
import { z } from "zod"
import { Fault } from "#shared/errors.ts"
import { readPooled } from "#shared/features/keep.ts"
import { vectorOf } from "#shared/features/pool.ts"
import { CohortName, EncoderId, SeriesId, SnapshotId } from "#shared/ids.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { unit } from "#shared/vector.ts"
import { valuesOf } from "./columns.ts"
import { parseFilter } from "./filter-parse.ts"
import type { Snapshot } from "./open.ts"
import { plan } from "./plan.ts"
import { checkK, checkQuery } from "./query.ts"
import { select } from "./select.ts"
import type { Found } from "./vector-index.ts"

export const SearchRequest = z.strictObject({
  cohort: CohortName,
  query: z.union([
    z.strictObject({ series: SeriesId }),
    /** `except`: the series that the vector was made from, which is not to be its own neighbor. */
    z.strictObject({ vector: z.array(z.number()).min(1).max(16_384), except: SeriesId.optional() }),
  ]),
  k: z.number(),
  filter: z.string().max(4000).optional(),
  exact: z.boolean().optional(),
})
export type SearchRequest = z.infer<typeof SearchRequest>

export const SearchAnswer = z.object({
  neighbors: z.array(
    z.object({
      id: SeriesId,
      /** Cosine similarity. */
      score: z.number(),
      source: z.string(),
      /** As it was published; absent values are left out. */
      metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    }),
  ),
  plan: z.enum(["exact", "exact-filtered", "hnsw"]),
  /** No row that the answer should hold can be missing from it. */
  exact: z.boolean(),
  /** Rows scored. For hnsw `ef`, the candidates kept: the library does not count what it scored. */
  scanned: z.int(),
  /** Rows whose score was computed anew from the f32 vectors; the rest could not be among the answer. */
  rescored: z.int(),
  ef: z.int().optional(),
  /** How many of the k asked for are not there. */
  shortBy: z.int(),
  snapshot: SnapshotId,
  encoder: EncoderId,
  ms: z.number(),
})
export type SearchAnswer = z.infer<typeof SearchAnswer>

/**
 * The k most similar rows of the snapshot that pass the filter and are not in `deleted`, best first; ties in the
 * order of series ids. The query's own series is never among them.
 * @throws Fault `bad-k`, `bad-filter`, `unknown-column`, `wrong-dim`, `bad-vector`, `no-such-series`, `wrong-cohort`
 */
export async function search(
  objects: ObjectStore,
  snapshot: Snapshot,
  deleted: ReadonlySet<string>,
  request: SearchRequest,
): Promise<SearchAnswer> {
  const started = performance.now()
  const { manifest, rows, rowOf, columns, exact, graph } = snapshot
  if (request.cohort !== manifest.cohort) {
    throw new Fault(
      "invalid",
      "wrong-cohort",
      `a snapshot of ${manifest.cohort} cannot answer for ${request.cohort}`,
    )
  }
  const { k } = request
  checkK(k, manifest.count)
  const passing = request.filter === undefined ? undefined : select(parseFilter(request.filter), columns)
  const query = await queryVector(objects, snapshot, deleted, request.query)
  const own = "series" in request.query ? request.query.series : request.query.except
  const barred = new Set(
    [...deleted, ...(own === undefined ? [] : [own])].flatMap((id) => rowOf.get(id) ?? []),
  )

  const chosen = plan({
    count: manifest.count,
    fetch: k + barred.size,
    hasGraph: graph !== undefined,
    filtered: passing !== undefined,
    exact: request.exact ?? false,
  })
  let scanned: number
  let found: Found[]
  let rescored: number
  if (chosen.plan === "hnsw") {
    scanned = chosen.ef
    const nearest = await graph!.search(query, { k: k + barred.size, ef: chosen.ef })
    rescored = nearest.rescored
    found = nearest.found.filter(({ row }) => !barred.has(row)).slice(0, k)
  } else {
    const allowed = without(passing, barred, manifest.count)
    scanned = allowed?.length ?? manifest.count
    ;({ found, rescored } = await exact.search(query, { k, rows: allowed }))
  }

  return {
    neighbors: found.map(({ row, score }) => ({
      id: rows.series[row],
      score,
      source: rows.source[row],
      metadata: valuesOf(columns, row),
    })),
    exact: chosen.plan !== "hnsw",
    scanned,
    rescored,
    ...chosen,
    shortBy: k - found.length,
    snapshot: manifest.snapshot,
    encoder: manifest.encoder,
    ms: performance.now() - started,
  }
}

/** Several searches of one snapshot, in order; others get their turn in between. */
export async function searchMany(
  objects: ObjectStore,
  snapshot: Snapshot,
  deleted: ReadonlySet<string>,
  requests: readonly SearchRequest[],
): Promise<SearchAnswer[]> {
  const answers: SearchAnswer[] = []
  for (const request of requests) {
    answers.push(await search(objects, snapshot, deleted, request))
    await setImmediate()
  }
  return answers
}

/** The rows to scan; undefined for all of them. */
function without(
  passing: Uint32Array | undefined,
  barred: Set<number>,
  count: number,
): Uint32Array | undefined {
  if (barred.size === 0) return passing
  return (passing ?? Uint32Array.from({ length: count }, (_, row) => row)).filter((row) => !barred.has(row))
}

/** The query as a unit vector [dim]: the snapshot's own row, features not published yet, or what the caller gave. */
async function queryVector(
  objects: ObjectStore,
  { manifest, rowOf, vectors }: Snapshot,
  deleted: ReadonlySet<string>,
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
