import { getCohort } from "#shared/cohort/cohort.ts"
import { listMembers } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"
import { sha256, timeStamp } from "#shared/ids.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { type Content, gather } from "./content.ts"
import { flip } from "./flip.ts"
import { buildHnsw, hnswAvailable, openHnsw } from "./hnsw.ts"
import { recallAt10 } from "./recall.ts"
import { graphPart, type Manifest, type Release, readManifest, readPart, readPointer } from "./snapshot.ts"

export interface PublishOrder {
  cohort: string
  now: Date
  onProgress?: (progress: { done: number; total: number; message: string }) => void
}

export interface Published {
  snapshot: string
  count: number
  engine: "hnsw" | "exact"
  /** Of the graph against exact, at ef 64; 1 for exact. */
  recallAt10: number
  /** The snapshot is the live one. False when a newer one was published meanwhile. */
  promoted: boolean
  /** Nothing had changed since the live snapshot, which is whole: it is this answer. */
  unchanged: boolean
  /** Members without features under the cohort's encoder: left out. */
  missing: number
}

/** Links per row, and candidates weighed for them when the graph is built: hnswlib's own defaults. */
const m = 16
const efConstruction = 200
const ef = 64

/**
 * Makes a snapshot of the cohort's members that have features, and makes it live. Every part is written before the
 * manifest, and the manifest before the pointer. Publishing what is live already changes nothing.
 * @throws Fault `empty-cohort`, `no-such-cohort`, `bad-features`
 */
export async function publish(objects: ObjectStore, order: PublishOrder): Promise<Published> {
  const { cohort, now, onProgress } = order
  const { encoder } = await getCohort(objects, cohort)
  const before = await readPointer(objects, cohort)
  const members = await listMembers(objects, cohort)
  const pooling = "mean"
  const content = await gather(objects, members, {
    encoder,
    pooling,
    onRead: (done) => onProgress?.({ done, total: members.length, message: "reading features" }),
  })
  const { dim, missing } = content
  const count = content.rows.series.length
  const parts = contentBytes(content)
  const engine = (await hnswAvailable()).available ? "hnsw" : "exact"

  const digests = new Map([...parts].map(([name, bytes]) => [name, sha256(bytes)]))
  const live = before && (await wholeManifest(objects, cohort, before.value))
  if (
    live?.engine === engine &&
    [...digests].every(([name, digest]) => live.parts[name]?.sha256 === digest)
  ) {
    const { snapshot, recallAt10 } = live
    const promoted = await flip(objects, { cohort, release: before.value, rows: content.rows, before })
    return { snapshot, count, engine, recallAt10, promoted, unchanged: true, missing }
  }

  let recall = 1
  if (engine === "hnsw") {
    const onGraph = (done: number, total: number) =>
      onProgress?.({ done, total, message: "building the graph" })
    const graph = await buildHnsw({ dim, vectors: content.vectors, m, efConstruction, onProgress: onGraph })
    parts.set(graphPart, graph)
    digests.set(graphPart, sha256(graph))
    recall = await recallAt10(await openHnsw(graph, { dim, vectors: content.vectors }), content.vectors, ef)
  }
  const described = [...parts].map(([name, { length }]) => [
    name,
    { sha256: digests.get(name)!, bytes: length },
  ])
  const snapshot = `${timeStamp(now)}-${sha256(JSON.stringify(described)).slice(0, 8)}`
  const manifest: Manifest = {
    format: "voxkin-snapshot-1",
    snapshot,
    cohort,
    encoder,
    pooling,
    dim,
    metric: "cosine",
    count,
    engine,
    ef: engine === "hnsw" ? ef : null,
    m: engine === "hnsw" ? m : null,
    efConstruction: engine === "hnsw" ? efConstruction : null,
    recallAt10: recall,
    createdAt: now.toISOString(),
    parts: Object.fromEntries(described),
  }
  for (const [name, bytes] of parts) {
    await objects.put(keys.snapshotPart(cohort, encoder, snapshot, name), bytes)
  }
  const manifestSha = await putManifest(objects, manifest)
  const release = { snapshot, encoder, manifest: manifestSha, at: now.toISOString() }
  const promoted = await flip(objects, { cohort, release, rows: content.rows, before })
  return { snapshot, count, engine, recallAt10: recall, promoted, unchanged: false, missing }
}

type PartName = keyof Manifest["parts"]

function contentBytes({ vectors, rows, columns }: Content): Map<PartName, Uint8Array> {
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
  return new Map<PartName, Uint8Array>([
    ["vectors.f32", new Uint8Array(vectors.buffer)],
    ["rows.json", json(rows)],
    ["columns.json", json(columns)],
  ])
}

/** The manifest of a release all of whose parts are as published; undefined for a damaged one. */
async function wholeManifest(
  objects: ObjectStore,
  cohort: string,
  release: Release,
): Promise<Manifest | undefined> {
  try {
    const manifest = await readManifest(objects, cohort, release)
    for (const name of Object.keys(manifest.parts) as PartName[]) await readPart(objects, manifest, name)
    return manifest
  } catch (thrown) {
    // Publishing again is the remedy for a damaged snapshot, so it must not stop here.
    if (thrown instanceof Fault && thrown.code === "corrupt-snapshot") return undefined
    throw thrown
  }
}

/** Returns the manifest's sha256. The same content at the same instant is the same snapshot, written twice. */
async function putManifest(objects: ObjectStore, manifest: Manifest): Promise<string> {
  const { cohort, encoder, snapshot } = manifest
  const key = keys.snapshotPart(cohort, encoder, snapshot, "manifest.json")
  const bytes = new TextEncoder().encode(JSON.stringify(manifest))
  const digest = sha256(bytes)
  try {
    await objects.put(key, bytes, { ifAbsent: true })
  } catch (thrown) {
    const there =
      thrown instanceof Fault && thrown.code === "precondition-failed" ? await objects.get(key) : undefined
    if (!there || sha256(there.bytes) !== digest) throw thrown
  }
  return digest
}
