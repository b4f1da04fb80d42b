import * as z from "zod"
import { type OnDamaged, readList } from "#shared/cohort/bounded.ts"
import { readOldPointer } from "#shared/cohort/pointer.ts"
import { getJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { Manifest } from "./snapshot.ts"

/** A snapshot as its manifest describes it. */
export const SnapshotSummary = Manifest.omit({ format: true, parts: true }).extend({
  live: z.boolean(),
  /** Of all its parts together. */
  bytes: z.int(),
})
export type SnapshotSummary = z.infer<typeof SnapshotSummary>

/** Every whole snapshot of a cohort, newest first. */
export async function listSnapshots(
  objects: ObjectStore,
  cohort: string,
  onDamaged?: OnDamaged,
): Promise<SnapshotSummary[]> {
  const manifests = (await objects.list(keys.snapshots(cohort))).filter((key) =>
    key.endsWith("/manifest.json"),
  )
  const pointer = await readOldPointer(objects, cohort)
  const found = await readList(manifests, (key) => getJson(objects, key, Manifest), onDamaged)
  return found
    .map(({ value: { format: _, parts, ...about } }) => ({
      ...about,
      live: about.snapshot === pointer?.value?.snapshot,
      bytes: Object.values(parts).reduce((sum, part) => sum + (part?.bytes ?? 0), 0),
    }))
    .sort((a, b) => (a.snapshot < b.snapshot ? 1 : -1))
}
