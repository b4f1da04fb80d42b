import * as z from "zod"
import { EncoderChange } from "#shared/cohort/encoder-change.ts"
import type { Release } from "#shared/cohort/pointer.ts"
import { Fault } from "#shared/errors.ts"
import { Pooling } from "#shared/features/features.ts"
import { CohortName, EncoderId, SnapshotId, sha256 } from "#shared/ids.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)

export const graphPart = "graph.hnsw"

/**
 * What a snapshot consists of. `vectors.f32` is [count, dim], little-endian, and `vectors.sha` names each of its rows;
 * `codes.i8` are the same vectors, compact, with `codes.head` (`codes-part.ts`); `graph.hnsw` is there for engine hnsw.
 */
export const PartName = z.enum([
  "vectors.f32",
  "vectors.sha",
  "codes.head",
  "codes.i8",
  "rows.bin",
  "columns.bin",
  graphPart,
])
export type PartName = z.infer<typeof PartName>

const Part = z.object({ sha256: Sha256, bytes: z.int().nonnegative() })

/** What was measured before the snapshot could go live. */
export const Gate = z.object({
  recallAt10: z.number().min(0).max(1),
  /** Series that no search of the graph comes to. */
  unreachable: z.int().nonnegative(),
  /** With the snapshot that was live, among the series of both; null without one to compare with. */
  overlapAt10: z.number().min(0).max(1).nullable(),
  /** What changed with the encoder; absent where that stayed. */
  change: EncoderChange.optional(),
  /** Why it should not go live; it stays a candidate then, unless somebody insists. */
  reasons: z.array(z.string()),
})
export type Gate = z.infer<typeof Gate>

/** Describes one immutable index of a cohort; written last, so a snapshot with a manifest is whole. */
export const Manifest = z.object({
  format: z.literal("voxkin-snapshot-3"),
  snapshot: SnapshotId,
  cohort: CohortName,
  encoder: EncoderId,
  pooling: Pooling,
  dim: z.int().positive(),
  metric: z.literal("cosine"),
  count: z.int().positive(),
  engine: z.enum(["hnsw", "exact"]),
  /** Null without a graph. `ef` is the breadth at which recall was measured; searches use at least as much. */
  ef: z.int().positive().nullable(),
  m: z.int().positive().nullable(),
  efConstruction: z.int().positive().nullable(),
  recallAt10: z.number().min(0).max(1),
  /** Absent in snapshots that were made before there was one. */
  gate: Gate.optional(),
  createdAt: z.iso.datetime(),
  parts: z.partialRecord(PartName, Part),
})
export type Manifest = z.infer<typeof Manifest>

/** @throws Fault `unavailable` / `corrupt-snapshot` when it is not the manifest that went live */
export async function readManifest(
  objects: ObjectStore,
  cohort: string,
  release: Release,
): Promise<Manifest> {
  const key = keys.snapshotPart(cohort, release.encoder, release.snapshot, "manifest.json")
  const found = await objects.get(key)
  if (!found) throw corrupt(cohort, release.snapshot, "manifest.json", "is missing")
  if (sha256(found.bytes) !== release.manifest) {
    throw corrupt(cohort, release.snapshot, "manifest.json", "is not what was published")
  }
  const manifest = Manifest.safeParse(JSON.parse(new TextDecoder().decode(found.bytes)))
  if (!manifest.success) {
    throw corrupt(cohort, release.snapshot, "manifest.json", "is of a format that this version cannot read")
  }
  return manifest.data
}

export function corrupt(cohort: string, snapshot: string, part: string, what: string): Fault {
  return new Fault(
    "unavailable",
    "corrupt-snapshot",
    `${part} of snapshot ${snapshot} of cohort ${cohort} ${what}: publish the cohort again, or restore the file`,
  )
}
