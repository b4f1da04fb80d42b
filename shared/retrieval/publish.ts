import { mapBounded, storeConcurrency } from "#shared/cohort/bounded.ts"
import { getCohort } from "#shared/cohort/cohort.ts"
import type { EncoderChange, ProbeChange } from "#shared/cohort/encoder-change.ts"
import { freshMarkers } from "#shared/cohort/fresh.ts"
import { listMembers } from "#shared/cohort/members.ts"
import { readOldPointer } from "#shared/cohort/pointer.ts"
import { listPredictions } from "#shared/cohort/predictions.ts"
import { Fault } from "#shared/errors.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { type Content, gather } from "./content.ts"
import { flip } from "./flip.ts"
import { overlapAt10, reasonsAgainst } from "./gate.ts"
import { hnswAvailable } from "./hnsw.ts"
import { readRows, readVectors, wholeManifest } from "./parts.ts"
import { prune } from "./prune.ts"
import type { Manifest } from "./snapshot.ts"
import { contentParts, indexParts, writeSnapshot } from "./write.ts"

export interface PublishOrder {
  cohort: string
  now: Date
  /** Makes the snapshot live whatever the gate says against it. */
  force?: boolean
  /** Another encoder, from then on the cohort's. */
  change?: {
    encoder: string
    /** How the cohort's probes do under both. */
    compare(change: { cohort: string; from: string; to: string }): Promise<ProbeChange[]>
  }
  onProgress?: (progress: { done: number; total: number; message: string }) => void
}

export interface Published {
  snapshot: string
  count: number
  encoder: string
  engine: "hnsw" | "exact"
  /** Of the graph against exact, at the breadth of the manifest's `ef`; 1 for exact. */
  recallAt10: number
  /** The snapshot is the live one. False when the gate or a newer one, published meanwhile, kept it from that. */
  promoted: boolean
  /** What the gate has against the snapshot: with `promoted`, somebody insisted. */
  reasons: string[]
  /** Nothing had changed since the live snapshot, which is whole: it is this answer. */
  unchanged: boolean
  /** Members without features under the encoder: left out. */
  missing: number
  /** What changed with the encoder; absent where that stayed. */
  change?: EncoderChange
}

const pooling = "mean"
/** Links per row, and candidates weighed for them when the graph is built: hnswlib's own defaults. */
const m = 16
const efConstruction = 200

/**
 * Makes a snapshot of the cohort's members that have features, and makes it live. Every part is written before the
 * manifest, and the manifest before the pointer. What the gate has reasons against stays a candidate, unless forced.
 * Publishing what is live already changes nothing. A damaged pointer is written anew. Old snapshots go. The first
 * snapshot of another encoder that goes live makes it the cohort's; members without features under it are not found
 * until they are embedded with it.
 * @throws Fault `empty-cohort`, `no-such-cohort`, `no-encoder`, `corrupt-features`, `zero-vector`
 */
export async function publish(objects: ObjectStore, order: PublishOrder): Promise<Published> {
  const { cohort, now, force = false, onProgress } = order
  const { encoder: from } = await getCohort(objects, cohort)
  const encoder = order.change?.encoder ?? from
  if (encoder !== from) await checkKept(objects, encoder)
  const before = await readOldPointer(objects, cohort)
  // Before the members: what is marked by now is among them.
  const folded = await freshMarkers(objects, cohort)
  const members = await listMembers(objects, cohort)
  const onRead = (done: number) => onProgress?.({ done, total: members.length, message: "reading features" })
  const predictions = await listPredictions(objects, cohort)
  const content = await gather(objects, members, { encoder, predictions, pooling, onRead })
  const { series } = content
  const count = series.length
  const missing = content.missing.length
  const parts = contentParts(content)
  const engine = (await hnswAvailable()).available ? "hnsw" : "exact"

  const live = before?.value && (await wholeManifest(objects, cohort, before.value))
  if (before?.value) {
    // A graph that another machine built is kept, even where none could be built here.
    const goodEngine = live?.engine === engine || live?.engine === "hnsw"
    if (
      live?.encoder === encoder &&
      goodEngine &&
      parts.every(({ name, sha256 }) => live.parts[name]?.sha256 === sha256)
    ) {
      const { snapshot, engine, recallAt10 } = live
      const promoted = await flip(objects, { cohort, release: before.value, series, before, folded })
      return { snapshot, count, encoder, engine, recallAt10, promoted, reasons: [], unchanged: true, missing }
    }
  }

  const onGraph = (done: number, total: number) =>
    onProgress?.({ done, total, message: "building the graph" })
  const index = await indexParts(content, { engine, m, efConstruction, onGraph })
  const { recallAt10, unreachable } = index
  const overlap = live?.encoder === encoder ? await overlapWith(objects, live, content) : null
  const change =
    order.change && encoder !== from
      ? {
          from,
          lost: await countLost(objects, from, content.missing),
          probes: await order.change.compare({ cohort, from, to: encoder }),
        }
      : undefined
  const measured = { recallAt10, unreachable, overlapAt10: overlap, ...(change ? { change } : {}) }
  const reasons = reasonsAgainst(measured)
  const about = {
    cohort,
    encoder,
    pooling,
    dim: content.dim,
    metric: "cosine",
    count,
    engine,
    ef: index.ef,
    ...(engine === "hnsw" ? { m, efConstruction } : { m: null, efConstruction: null }),
    recallAt10,
    gate: { ...measured, reasons },
  } as const
  const { snapshot, sha256 } = await writeSnapshot(objects, [...parts, ...index.parts], about, now)
  const release = { snapshot, encoder, manifest: sha256, at: now.toISOString() }
  const may = reasons.length === 0 || force
  const promoted = may && (await flip(objects, { cohort, release, series, before, folded }))
  await prune(objects, cohort)
  return {
    snapshot,
    count,
    encoder,
    engine,
    recallAt10,
    promoted,
    reasons,
    unchanged: false,
    missing,
    ...(change ? { change } : {}),
  }
}

/** Whoever searches with a scan needs the encoder. */
async function checkKept(objects: ObjectStore, encoder: string): Promise<void> {
  if (await objects.has(keys.encoderPart(encoder, "encoder.json"))) return
  const message = `encoder ${encoder} is not in the store: add the series with --encoder and its folder, to another cohort, first`
  throw new Fault("missing", "no-encoder", message)
}

async function countLost(objects: ObjectStore, from: string, missing: string[]): Promise<number> {
  const had = await mapBounded(missing, storeConcurrency, (series) =>
    objects.has(keys.features(from, series)),
  )
  return had.filter(Boolean).length
}

/** Null where the two cannot be compared. */
async function overlapWith(objects: ObjectStore, live: Manifest, content: Content): Promise<number | null> {
  const { dim, pooling: pooled } = live
  if (pooled !== pooling) return null
  const vectors = await readVectors(objects, live)
  const series = (await readRows(objects, live)).all()
  return overlapAt10(content, { dim, vectors, series })
}
