import { setImmediate } from "node:timers/promises"
import * as z from "zod"
import { Fault } from "#shared/errors.ts"
import type { Found } from "#shared/exact/top-k.ts"
import { CohortName, EncoderId, SeriesId, SnapshotId } from "#shared/ids.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { dot } from "#shared/vector.ts"
import { valuesOf } from "./columns.ts"
import { parseFilter } from "./filter-parse.ts"
import { freshColumns, freshMetadata } from "./fresh.ts"
import type { View } from "./live.ts"
import { plan } from "./plan.ts"
import { checkK } from "./query.ts"
import { queryVector, SearchQuery } from "./query-vector.ts"
import { select } from "./select.ts"

export const SearchRequest = z.strictObject({
  cohort: CohortName,
  query: SearchQuery,
  k: z.number(),
  /** Over the snapshot's columns: one that only newer series have is unknown until the next publish. */
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
      /** As it was published, or for a newer series as it was added; absent values are left out. */
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
  /** How many of those scanned are newer than the snapshot. */
  fresh: z.int(),
  /** Breadth of the graph search; null where no graph was asked. */
  ef: z.int().nullable(),
  /** How many of the k asked for are not there. */
  shortBy: z.int(),
  snapshot: SnapshotId,
  encoder: EncoderId,
  /** The snapshot had to be opened for this answer: the next one comes sooner. */
  cold: z.boolean(),
  /** Only where something could not be read, or the live snapshot is damaged: what the answer lacks, in words. */
  degraded: z.array(z.string()).optional(),
  ms: z.number(),
})
export type SearchAnswer = z.infer<typeof SearchAnswer>

/**
 * The k most similar series that pass the filter, best first; ties in the order of series ids. They are the rows of
 * the snapshot and the fresh series beside it, without the deleted. The query's own series is never among them.
 * @throws Fault `bad-k`, `bad-filter`, `unknown-column`, `wrong-dim`, `wrong-encoder`, `bad-vector`, `no-such-series`, `wrong-cohort`
 */
export async function search(
  objects: ObjectStore,
  view: View,
  request: SearchRequest,
): Promise<SearchAnswer> {
  const started = performance.now()
  const { snapshot, deleted, fresh, cold, damaged } = view
  const { manifest, rows, columns, exact, graph } = snapshot
  if (request.cohort !== manifest.cohort) {
    throw new Fault(
      "invalid",
      "wrong-cohort",
      `a snapshot of ${manifest.cohort} cannot answer for ${request.cohort}`,
    )
  }
  const { k } = request
  checkK(k, manifest.count + fresh.filter(({ member }) => rows.of(member.series) === undefined).length)
  const filter = request.filter === undefined ? undefined : parseFilter(request.filter)
  const passing = filter && select(filter, columns)
  const query = await queryVector(objects, view, request.query)
  const own = "series" in request.query ? request.query.series : request.query.except
  const candidates = [
    ...(filter ? select(filter, freshColumns(fresh, filter, columns)) : fresh.keys()),
  ].filter((i) => fresh[i].member.series !== own)
  const barred = new Set(
    [...deleted, ...fresh.map(({ member }) => member.series), ...(own === undefined ? [] : [own])].flatMap(
      (id) => rows.of(id) ?? [],
    ),
  )

  const chosen = plan({
    count: exact.size,
    passing: passing?.length ?? exact.size,
    dim: manifest.dim,
    fetch: k + barred.size,
    ef: graph && (manifest.ef ?? undefined),
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

  const neighbors = [
    ...found.map(({ row, score }) => ({
      id: rows.series(row),
      score,
      about: () => ({ source: rows.source(row), metadata: valuesOf(columns, row) }),
    })),
    ...candidates.map((i) => ({
      id: fresh[i].member.series,
      score: dot(query, fresh[i].vector),
      about: () => ({ source: fresh[i].member.source, metadata: freshMetadata(fresh[i], columns) }),
    })),
  ]
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, k)
    .map(({ id, score, about }) => ({ id, score, ...about() }))
  return {
    neighbors,
    exact: chosen.plan !== "hnsw",
    scanned: scanned + candidates.length,
    fresh: candidates.length,
    rescored,
    plan: chosen.plan,
    ef: chosen.plan === "hnsw" ? chosen.ef : null,
    shortBy: k - neighbors.length,
    snapshot: manifest.snapshot,
    encoder: manifest.encoder,
    cold,
    ...(damaged.length > 0 ? { degraded: [...damaged] } : {}),
    ms: performance.now() - started,
  }
}

/** Several searches of one view, in order; others get their turn in between. */
export async function searchMany(
  objects: ObjectStore,
  view: View,
  requests: readonly SearchRequest[],
): Promise<SearchAnswer[]> {
  const answers: SearchAnswer[] = []
  for (const request of requests) {
    answers.push(await search(objects, view, request))
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
  // Both ascend, so one pass does; a look-up for each row would take as long as the scan.
  const gone = Uint32Array.from([...barred, 0xffff_ffff]).sort() // ends with what no row reaches
  const rows = new Uint32Array(passing?.length ?? count)
  let kept = 0
  for (let i = 0, next = 0; i < rows.length; i++) {
    const row = passing ? passing[i] : i
    while (gone[next] < row) next++
    if (gone[next] !== row) rows[kept++] = row
  }
  return rows.subarray(0, kept)
}
