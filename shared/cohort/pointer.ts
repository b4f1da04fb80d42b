import * as z from "zod"
import { EncoderId, SnapshotId } from "#shared/ids.ts"
import { getJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"

const Release = z.object({
  snapshot: SnapshotId,
  encoder: EncoderId,
  /** Sha256 of manifest.json. */
  manifest: z.string().regex(/^[0-9a-f]{64}$/),
  at: z.iso.datetime(),
})
/** A snapshot that went live at some time. */
export type Release = z.infer<typeof Release>

/**
 * `cohorts/{cohort}/current.json`: the live snapshot and those before it, newest first. Its encoder is the cohort's:
 * one conditional write changes both.
 */
export const Pointer = Release.extend({ history: z.array(Release) })
export type Pointer = z.infer<typeof Pointer>

export function readPointer(objects: ObjectStore, cohort: string) {
  return getJson(objects, keys.current(cohort), Pointer)
}
