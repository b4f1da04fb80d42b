import * as z from "zod"
import { EncoderId, SnapshotId } from "#shared/ids.ts"
import { getJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { isUnreadable } from "./bounded.ts"

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

/** A pointer as it is to be replaced: of a damaged one nothing is known but its etag. */
export interface OldPointer {
  value?: Pointer
  etag: string
}

/** As `readPointer`, where a damaged one is to be healed by writing over it. */
export async function readOldPointer(objects: ObjectStore, cohort: string): Promise<OldPointer | undefined> {
  try {
    return await readPointer(objects, cohort)
  } catch (thrown) {
    if (!isUnreadable(thrown)) throw thrown
    const found = await objects.get(keys.current(cohort), { start: 0, end: 0 })
    return found && { etag: found.etag }
  }
}
