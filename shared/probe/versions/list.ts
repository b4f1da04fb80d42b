import * as z from "zod"
import { type OnDamaged, readList } from "#shared/cohort/bounded.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { getProbe } from "../predict.ts"
import { ProbeRecord, ProbeVersion } from "../record.ts"
import { readPointer } from "./pointer.ts"
import { completeVersions, noCurrent } from "./stored.ts"

/** One version of a probe. */
export const VersionSummary = z.object({
  version: ProbeVersion,
  /** Whether it is the one that answers. */
  current: z.boolean(),
  /** When it became so last; null for a candidate, which never did. */
  promotedAt: z.iso.datetime().nullable(),
  record: ProbeRecord,
})
export type VersionSummary = z.infer<typeof VersionSummary>

/**
 * Every complete version of a probe, newest first; weights are not read.
 * @throws Fault `missing` / `no-such-probe`
 */
export async function listVersions(
  objects: ObjectStore,
  name: string,
  onDamaged?: OnDamaged,
): Promise<VersionSummary[]> {
  const pointer = (await readPointer(objects, name))?.value
  const versions = await completeVersions(objects, name)
  if (versions.length === 0 && !pointer) throw await noCurrent(objects, name)
  const { history = [], ...live } = pointer ?? {}
  const promotions = pointer ? [live as typeof pointer, ...history] : []
  const records = await readList(versions, (version) => getProbe(objects, name, version), onDamaged)
  return records.map((record) => {
    const { version } = record
    const promoted = promotions.find((promotion) => promotion.version === version)
    return {
      version,
      current: version === pointer?.version,
      promotedAt: promoted?.promotedAt ?? null,
      record,
    }
  })
}
