import { getCohort } from "#shared/cohort/cohort.ts"
import { Fault } from "#shared/errors.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { type Column, Columns } from "./columns.ts"
import type { Rows } from "./content.ts"
import { exactIndex } from "./exact.ts"
import { hnswAvailable, openHnsw } from "./hnsw.ts"
import {
  floats,
  graphPart,
  type Manifest,
  type Pointer,
  type Release,
  readManifest,
  readPart,
  readPointer,
  readRows,
} from "./snapshot.ts"
import type { VectorIndex } from "./vector-index.ts"

/** A published index of one cohort, verified and in memory. Immutable; row i of each part is the same series. */
export interface Snapshot {
  manifest: Manifest
  rows: Rows
  rowOf: Map<string, number>
  columns: Column[]
  /** [count, dim], unit length. */
  vectors: Float32Array
  exact: VectorIndex
  /** Absent when the snapshot has no graph, or hnswlib-node is not installed here. */
  graph?: VectorIndex
}

/**
 * Opens the cohort's live snapshot; every byte of it is checked against its published sha256 first.
 * @throws Fault `missing` / `not-published`, `no-such-cohort`; `unavailable` / `corrupt-snapshot`
 */
export async function openSnapshot(objects: ObjectStore, cohort: string): Promise<Snapshot> {
  return open(objects, cohort, (await livePointer(objects, cohort)).value)
}

/** A snapshot to answer from: the live one or, where that is damaged, the newest whole one before it. */
export interface Opened {
  snapshot: Snapshot
  /** Why it is not the live one; absent when it is. */
  instead?: string
}

/** How long an earlier snapshot answers before the damaged one is looked at again: someone may have restored it. */
const damagedMs = 60_000

/**
 * Opens snapshots and keeps the latest `most` cohorts' open. Each call looks at the pointer once, so a flip by any
 * process is seen by the next call; what it returns is one snapshot, whole, whatever is published meanwhile.
 * @throws Fault as `openSnapshot`; `corrupt-snapshot` only when none in the pointer's history is whole
 */
export function snapshotCache(objects: ObjectStore, most = 4): (cohort: string) => Promise<Opened> {
  interface Entry {
    etag: string
    at: number
    opened: Promise<Opened>
    done?: Opened
  }
  const entries = new Map<string, Entry>()
  return async (cohort) => {
    const pointer = await livePointer(objects, cohort)
    let entry = entries.get(cohort)
    entries.delete(cohort)
    const again = entry?.done?.instead !== undefined && Date.now() - entry.at > damagedMs
    if (entry?.etag !== pointer.etag || again) {
      const had = entry?.done?.snapshot
      const opening: Entry = {
        etag: pointer.etag,
        at: Date.now(),
        opened: newestWhole(objects, cohort, pointer.value, had),
      }
      opening.opened.then(
        (done) => {
          opening.done = done
        },
        () => {
          if (entries.get(cohort) === opening) entries.delete(cohort)
        },
      )
      entry = opening
    }
    entries.set(cohort, entry)
    for (const name of entries.keys()) if (entries.size > most) entries.delete(name)
    return entry.opened
  }
}

/** `had` is one that is open already, and was whole when it was opened. */
async function newestWhole(
  objects: ObjectStore,
  cohort: string,
  pointer: Pointer,
  had?: Snapshot,
): Promise<Opened> {
  let damage: Fault | undefined
  for (const release of [pointer, ...pointer.history]) {
    try {
      const isOpen = had?.manifest.snapshot === release.snapshot
      const snapshot = isOpen ? had : await open(objects, cohort, release)
      return { snapshot, ...(damage ? { instead: damage.message } : {}) }
    } catch (thrown) {
      if (!(thrown instanceof Fault && ["corrupt-snapshot", "bad-graph"].includes(thrown.code))) throw thrown
      damage ??= thrown
    }
  }
  throw damage
}

async function livePointer(objects: ObjectStore, cohort: string): Promise<{ value: Pointer; etag: string }> {
  const pointer = await readPointer(objects, cohort)
  if (pointer) return pointer
  await getCohort(objects, cohort)
  throw new Fault("missing", "not-published", `cohort ${cohort} has no snapshot yet: publish it first`)
}

async function open(objects: ObjectStore, cohort: string, release: Release): Promise<Snapshot> {
  const manifest = await readManifest(objects, cohort, release)
  const { dim, engine } = manifest
  const rows = await readRows(objects, manifest)
  const columns = Columns.parse(
    JSON.parse(new TextDecoder().decode(await readPart(objects, manifest, "columns.json"))),
  )
  const vectors = floats(await readPart(objects, manifest, "vectors.f32"))
  const exact = await exactIndex({ dim, vectors })
  const graphBytes = engine === "hnsw" ? await readPart(objects, manifest, graphPart) : undefined
  const graph =
    graphBytes && (await hnswAvailable()).available ? await openHnsw(graphBytes, { dim, vectors }) : undefined
  const rowOf = new Map(rows.series.map((series, row) => [series, row]))
  return { manifest, rows, rowOf, columns, vectors, exact, graph }
}
