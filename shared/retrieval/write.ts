import { Fault } from "#shared/errors.ts"
import { makeCodes } from "#shared/exact/codes.ts"
import { sha256, timeStamp } from "#shared/ids.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { codesParts } from "./codes-part.ts"
import { columnsPart } from "./columns-part.ts"
import type { Content } from "./content.ts"
import { exactOver, scanOf, scoreIn } from "./exact.ts"
import { unreachable } from "./graph-reach.ts"
import { buildHnsw, openHnsw } from "./hnsw.ts"
import { calibrate } from "./recall.ts"
import { rowDigests } from "./row-digests.ts"
import { rowsPart } from "./rows.ts"
import { graphPart, type Manifest, type PartName } from "./snapshot.ts"

export interface Part {
  name: PartName
  bytes: Uint8Array
  sha256: string
}

function part(name: PartName, bytes: Uint8Array): Part {
  return { name, bytes, sha256: sha256(bytes) }
}

/** What the members say; from these all other parts are made. */
export function contentParts({ vectors, series, source, columns }: Content): Part[] {
  return [
    part("vectors.f32", new Uint8Array(vectors.buffer, 0, vectors.byteLength)),
    part("rows.bin", rowsPart({ series, source })),
    part("columns.bin", columnsPart(columns)),
  ]
}

export interface IndexOptions {
  engine: "hnsw" | "exact"
  /** Links per row of the graph, and candidates weighed for them when it is built. */
  m: number
  efConstruction: number
  onGraph?: (done: number, total: number) => void
}

export interface Index {
  parts: Part[]
  /** The breadth that the graph is to be searched with, at the least; null without one. */
  ef: number | null
  /** At that breadth; 1 without a graph, where nothing is lost. */
  recallAt10: number
  unreachable: number
}

/** What searches need besides, and what was measured of it. */
export async function indexParts(
  { dim, vectors }: Content,
  { engine, m, efConstruction, onGraph }: IndexOptions,
): Promise<Index> {
  const codes = await makeCodes({ dim, vectors })
  const { head, rows } = codesParts(codes)
  const digests = await rowDigests({ dim, vectors })
  const parts = [part("codes.head", head), part("codes.i8", rows), part("vectors.sha", digests)]
  if (engine === "exact") return { parts, ef: null, recallAt10: 1, unreachable: 0 }
  const graph = await buildHnsw({ dim, vectors, m, efConstruction, onProgress: onGraph })
  const exact = exactOver(scanOf(codes), scoreIn(vectors))
  return {
    parts: [...parts, part(graphPart, graph)],
    ...(await calibrate(await openHnsw(graph, { dim, vectors }), { exact, vectors })),
    unreachable: unreachable(graph, vectors.length / dim),
  }
}

/** Writes the parts, then the manifest that lists them. The snapshot is named by the time and by what is in it. */
export async function writeSnapshot(
  objects: ObjectStore,
  parts: readonly Part[],
  about: Omit<Manifest, "format" | "snapshot" | "createdAt" | "parts">,
  now: Date,
): Promise<{ snapshot: string; sha256: string }> {
  const described = parts.map(({ name, sha256, bytes }) => [name, { sha256, bytes: bytes.length }] as const)
  const snapshot = `${timeStamp(now)}-${sha256(JSON.stringify(described)).slice(0, 8)}`
  const manifest: Manifest = {
    format: "voxkin-snapshot-3",
    snapshot,
    ...about,
    createdAt: now.toISOString(),
    parts: Object.fromEntries(described),
  }
  const keyOf = (name: string) => keys.snapshotPart(about.cohort, about.encoder, snapshot, name)
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
  return { snapshot, sha256: digest }
}
