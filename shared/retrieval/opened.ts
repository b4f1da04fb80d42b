import { freemem } from "node:os"
import type { Release } from "#shared/cohort/pointer.ts"
import { Fault } from "#shared/errors.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { readCodesHead } from "./codes-part.ts"
import type { Column } from "./columns.ts"
import { openColumns } from "./columns-part.ts"
import { exactOver, type Scanned, scanOf, scoreIn } from "./exact.ts"
import { hnswAvailable, openHnsw } from "./hnsw.ts"
import { readPart, readRows, readVectors, streamPart } from "./parts.ts"
import type { Rows } from "./rows.ts"
import { graphPart, type Manifest, readManifest } from "./snapshot.ts"
import { storedCodes } from "./stored-codes.ts"
import { storedVectors, type Vectors, vectorsInMemory } from "./stored-vectors.ts"
import type { VectorIndex } from "./vector-index.ts"

/**
 * A published index of one cohort. What it answers never changes; row i of each part is the same series. It answers
 * exactly as soon as it is open, from the codes and the few f32 vectors that a question turns on; once it is warm,
 * all vectors and the graph are in memory. Nothing is used before it is checked: parts by their sha256, the codes by
 * their checksum, single vectors by their digests.
 */
export interface Snapshot {
  manifest: Manifest
  rows: Rows
  columns: Column[]
  vectors: Vectors
  exact: VectorIndex
  /** Absent before it is warm, when the snapshot has no graph, and where hnswlib-node is not installed. */
  graph?: VectorIndex
  /** Loads what is not loaded yet, once, where the memory is there for it; never rejects. */
  warm(): Promise<void>
  /** A part that was found to be damaged after the snapshot was opened: it must not be asked again. */
  damage?: Fault
}

/** Snapshots with fewer bytes of vectors and graph than this are warm when they are open: it takes some 50 ms. */
export const warmBelow = 2 ** 25

/** @throws Fault `unavailable` / `corrupt-snapshot`, `bad-graph` */
export async function openRelease(
  objects: ObjectStore,
  cohort: string,
  release: Release,
  warmUpTo = warmBelow,
): Promise<Snapshot> {
  const manifest = await readManifest(objects, cohort, release)
  const { dim, count } = manifest
  const [head, rows, digests, columns] = await Promise.all([
    readCodesHead(objects, manifest),
    readRows(objects, manifest),
    readPart(objects, manifest, "vectors.sha"),
    readColumns(objects, manifest),
  ])
  let inMemory: Float32Array | undefined
  const stored = storedVectors(objects, manifest, digests)
  const codes = storedCodes(objects, manifest, head)
  let asked = false
  let kept: Promise<Scanned> | undefined
  const keepCodes = () => {
    kept ??= noting(async () => scanOf(await codes.load()))
    kept.catch(() => {
      kept = undefined
    })
    return kept
  }

  const load = async () => {
    await keepCodes()
    await streamPart(objects, manifest, "codes.i8", () => {}) // its checksum finds damage, not forgery
    const vectors = await readVectors(objects, manifest)
    inMemory = vectors
    snapshot.vectors = vectorsInMemory({ dim, vectors })
    if (manifest.engine !== "hnsw" || !(await hnswAvailable()).available) return
    snapshot.graph = await openHnsw(await readPart(objects, manifest, graphPart), { dim, vectors })
  }
  let loading: Promise<void> | undefined
  const snapshot: Snapshot = {
    manifest,
    rows,
    columns,
    vectors: { read: (some) => noting(() => stored.read(some)) },
    exact: exactOver({ dim, size: count, scan }, async (query, some) => {
      if (inMemory) return scoreIn(inMemory)(query, some)
      const vectors = await snapshot.vectors.read(some)
      return scoreIn(vectors)(query, Uint32Array.from(some.keys()))
    }),
    // What the store could not give now, it may give at the next attempt.
    warm() {
      if (!loading && !fits(manifest)) return Promise.resolve()
      loading ??= load().catch((thrown) => {
        if (isDamage(thrown)) snapshot.damage = thrown
        else loading = undefined
      })
      return loading
    },
  }
  const { "vectors.f32": vectors, [graphPart]: graph } = manifest.parts
  if ((vectors?.bytes ?? 0) + (graph?.bytes ?? 0) < warmUpTo) {
    loading = load()
    await loading
  }
  return snapshot

  /** The first question is answered while the codes are read; from the second on they are kept. */
  async function scan(...[query, options]: Parameters<Scanned["scan"]>) {
    if (asked || kept) return (await keepCodes()).scan(query, options)
    asked = true
    return noting(() => codes.scan(query, options))
  }

  /** Whoever meets damage gets a fault, and nobody asks this snapshot again. */
  async function noting<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (thrown) {
      if (isDamage(thrown)) snapshot.damage = thrown
      throw thrown
    }
  }
}

/** A graph is there twice while it is loaded: as its file's bytes, and as the library has it. */
function fits({ parts }: Manifest): boolean {
  const peak = (parts["vectors.f32"]?.bytes ?? 0) + 2 * (parts[graphPart]?.bytes ?? 0)
  return peak < 0.8 * (process.availableMemory?.() ?? freemem())
}

async function readColumns(objects: ObjectStore, manifest: Manifest): Promise<Column[]> {
  return openColumns(await readPart(objects, manifest, "columns.bin"), manifest.count)
}

export function isDamage(thrown: unknown): thrown is Fault {
  return thrown instanceof Fault && ["corrupt-snapshot", "bad-graph"].includes(thrown.code)
}
