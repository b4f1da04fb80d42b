import { getCohort } from "#shared/cohort/cohort.ts"
import { Fault } from "#shared/errors.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { type Column, Columns } from "./columns.ts"
import { Rows } from "./content.ts"
import { exactIndex } from "./exact.ts"
import { hnswAvailable, openHnsw } from "./hnsw.ts"
import { graphPart, type Manifest, type Pointer, readManifest, readPart, readPointer } from "./snapshot.ts"
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

/**
 * Opens live snapshots and keeps the latest `most` cohorts' open. Each call looks at the pointer once; what it
 * returns is one snapshot, whole, whatever is published meanwhile.
 */
export function snapshotCache(objects: ObjectStore, most = 4): (cohort: string) => Promise<Snapshot> {
  const opened = new Map<string, { etag: string; snapshot: Promise<Snapshot> }>()
  return async (cohort) => {
    const pointer = await livePointer(objects, cohort)
    let entry = opened.get(cohort)
    opened.delete(cohort)
    if (entry?.etag !== pointer.etag) {
      const opening = { etag: pointer.etag, snapshot: open(objects, cohort, pointer.value) }
      opening.snapshot.catch(() => {
        if (opened.get(cohort) === opening) opened.delete(cohort)
      })
      entry = opening
    }
    opened.set(cohort, entry)
    for (const name of opened.keys()) if (opened.size > most) opened.delete(name)
    return entry.snapshot
  }
}

async function livePointer(objects: ObjectStore, cohort: string): Promise<{ value: Pointer; etag: string }> {
  const pointer = await readPointer(objects, cohort)
  if (pointer) return pointer
  await getCohort(objects, cohort)
  throw new Fault("missing", "not-published", `cohort ${cohort} has no snapshot yet: publish it first`)
}

async function open(objects: ObjectStore, cohort: string, pointer: Pointer): Promise<Snapshot> {
  const manifest = await readManifest(objects, cohort, pointer)
  const { dim, engine } = manifest
  const json = async (part: "rows.json" | "columns.json") =>
    JSON.parse(new TextDecoder().decode(await readPart(objects, manifest, part)))
  const rows = Rows.parse(await json("rows.json"))
  const columns = Columns.parse(await json("columns.json"))
  const vectors = floats(await readPart(objects, manifest, "vectors.f32"))
  const exact = await exactIndex({ dim, vectors })
  const graphBytes = engine === "hnsw" ? await readPart(objects, manifest, graphPart) : undefined
  const graph =
    graphBytes && (await hnswAvailable()).available ? await openHnsw(graphBytes, { dim, vectors }) : undefined
  const rowOf = new Map(rows.series.map((series, row) => [series, row]))
  return { manifest, rows, rowOf, columns, vectors, exact, graph }
}

/** Little-endian float32, as every machine that Node runs on has it; copied only where the bytes lie unaligned. */
function floats(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4)
}
