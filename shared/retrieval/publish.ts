import { getCohort } from "#shared/cohort/cohort.ts"
import { freshMarkers } from "#shared/cohort/fresh.ts"
import { listMembers } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"
import { sha256, timeStamp } from "#shared/ids.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { codesPart } from "./codes-part.ts"
import { type Content, gather } from "./content.ts"
import { exactOver, scoreIn } from "./exact.ts"
import { makeCodes } from "./exact-codes.ts"
import { flip } from "./flip.ts"
import { overlapAt10, reasonsAgainst } from "./gate.ts"
import { unreachable } from "./graph-reach.ts"
import { buildHnsw, hnswAvailable, openHnsw } from "./hnsw.ts"
import { readRows, readVectors, wholeManifest } from "./parts.ts"
import { prune } from "./prune.ts"
import { recallAt10 } from "./recall.ts"
import { rowDigests } from "./row-digests.ts"
import { graphPart, type Manifest, type PartName, readPointer } from "./snapshot.ts"

export interface PublishOrder {
  cohort: string
  now: Date
  /** Makes the snapshot live whatever the gate says against it. */
  force?: boolean
  onProgress?: (progress: { done: number; total: number; message: string }) => void
}

export interface Published {
  snapshot: string
  count: number
  encoder: string
  engine: "hnsw" | "exact"
  /** Of the graph against exact, at ef 64; 1 for exact. */
  recallAt10: number
  /** The snapshot is the live one. False when the gate or a newer one, published meanwhile, kept it from that. */
  promoted: boolean
  /** What the gate has against the snapshot: with `promoted`, somebody insisted. */
  reasons: string[]
  /** Nothing had changed since the live snapshot, which is whole: it is this answer. */
  unchanged: boolean
  /** Members without features under the cohort's encoder: left out. */
  missing: number
}

const pooling = "mean"
/** Links per row, and candidates weighed for them when the graph is built: hnswlib's own defaults. */
const m = 16
const efConstruction = 200
/** Breadth at which the graph's recall is measured; searches use at least as much. */
const ef = 64

/**
 * Makes a snapshot of the cohort's members that have features, and makes it live. Every part is written before the
 * manifest, and the manifest before the pointer. What the gate has reasons against stays a candidate, unless forced.
 * Publishing what is live already changes nothing. Old snapshots go.
 * @throws Fault `empty-cohort`, `no-such-cohort`, `corrupt-features`, `zero-vector`
 */
export async function publish(objects: ObjectStore, order: PublishOrder): Promise<Published> {
  const { cohort, now, force = false, onProgress } = order
  const { encoder } = await getCohort(objects, cohort)
  const before = await readPointer(objects, cohort)
  // Before the members: what is marked by now is among them.
  const folded = await freshMarkers(objects, cohort)
  const members = await listMembers(objects, cohort)
  const onRead = (done: number) => onProgress?.({ done, total: members.length, message: "reading features" })
  const content = await gather(objects, members, { encoder, pooling, onRead })
  const { rows, missing } = content
  const count = rows.series.length
  const parts = contentParts(content)
  const engine = (await hnswAvailable()).available ? "hnsw" : "exact"

  const live = before && (await wholeManifest(objects, cohort, before.value))
  if (before) {
    // A graph that another machine built is kept, even where none could be built here.
    const goodEngine = live?.engine === engine || live?.engine === "hnsw"
    if (live && goodEngine && parts.every(({ name, sha256 }) => live.parts[name]?.sha256 === sha256)) {
      const { snapshot, engine, recallAt10 } = live
      const promoted = await flip(objects, { cohort, release: before.value, rows, before, folded })
      return { snapshot, count, encoder, engine, recallAt10, promoted, reasons: [], unchanged: true, missing }
    }
  }

  let recall = 1
  let lost = 0
  const { dim, vectors } = content
  const codes = await makeCodes({ dim, vectors })
  parts.push(part("codes.i8", codesPart(codes)), part("vectors.sha", await rowDigests({ dim, vectors })))
  if (engine === "hnsw") {
    const onGraph = (done: number, total: number) =>
      onProgress?.({ done, total, message: "building the graph" })
    const graph = await buildHnsw({ dim, vectors, m, efConstruction, onProgress: onGraph })
    parts.push(part(graphPart, graph))
    lost = unreachable(graph, count)
    const exact = exactOver(codes, scoreIn(vectors))
    recall = await recallAt10(await openHnsw(graph, { dim, vectors }), { exact, vectors, ef })
  }
  const overlap = live?.encoder === encoder ? await overlapWith(objects, live, content) : null
  const measured = { recallAt10: recall, unreachable: lost, overlapAt10: overlap }
  const reasons = reasonsAgainst(measured)
  const described = parts.map(({ name, sha256, bytes }) => [name, { sha256, bytes: bytes.length }] as const)
  const snapshot = `${timeStamp(now)}-${sha256(JSON.stringify(described)).slice(0, 8)}`
  const manifest = await writeSnapshot(objects, parts, {
    format: "voxkin-snapshot-2",
    snapshot,
    cohort,
    encoder,
    pooling,
    dim: content.dim,
    metric: "cosine",
    count,
    engine,
    ...(engine === "hnsw" ? { ef, m, efConstruction } : { ef: null, m: null, efConstruction: null }),
    recallAt10: recall,
    gate: { ...measured, reasons },
    createdAt: now.toISOString(),
    parts: Object.fromEntries(described),
  })
  const release = { snapshot, encoder, manifest, at: now.toISOString() }
  const may = reasons.length === 0 || force
  const promoted = may && (await flip(objects, { cohort, release, rows, before, folded }))
  await prune(objects, cohort)
  return {
    snapshot,
    count,
    encoder,
    engine,
    recallAt10: recall,
    promoted,
    reasons,
    unchanged: false,
    missing,
  }
}

/** Null where the two cannot be compared. */
async function overlapWith(objects: ObjectStore, live: Manifest, content: Content): Promise<number | null> {
  const { dim, pooling: pooled } = live
  if (pooled !== pooling) return null
  const vectors = await readVectors(objects, live)
  const { series } = await readRows(objects, live)
  const { dim: newDim, vectors: newVectors, rows } = content
  return overlapAt10({ dim: newDim, vectors: newVectors, series: rows.series }, { dim, vectors, series })
}

interface Part {
  name: PartName
  bytes: Uint8Array
  sha256: string
}

function part(name: PartName, bytes: Uint8Array): Part {
  return { name, bytes, sha256: sha256(bytes) }
}

function contentParts({ vectors, rows, columns }: Content): Part[] {
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
  return [
    part("vectors.f32", new Uint8Array(vectors.buffer, 0, vectors.byteLength)),
    part("rows.json", json(rows)),
    part("columns.json", json(columns)),
  ]
}

/** Writes the parts, then the manifest; returns the manifest's sha256. */
async function writeSnapshot(
  objects: ObjectStore,
  parts: readonly Part[],
  manifest: Manifest,
): Promise<string> {
  const keyOf = (name: string) =>
    keys.snapshotPart(manifest.cohort, manifest.encoder, manifest.snapshot, name)
  for (const { name, bytes } of parts) await objects.put(keyOf(name), bytes)
  const bytes = new TextEncoder().encode(JSON.stringify(manifest))
  const digest = sha256(bytes)
  try {
    await objects.put(keyOf("manifest.json"), bytes, { ifAbsent: true })
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.code === "precondition-failed")) throw thrown
    // The same content published twice at the same instant is the same snapshot.
    const there = await objects.get(keyOf("manifest.json"))
    if (!there || sha256(there.bytes) !== digest) throw thrown
  }
  return digest
}
