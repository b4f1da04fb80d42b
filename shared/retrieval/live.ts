import { deletedSeries } from "#shared/cohort/deletions.ts"
import { type FreshMarker, freshMarkers } from "#shared/cohort/fresh.ts"
import { memberSeries } from "#shared/cohort/members.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { type Fresh, type FreshCache, readFresh } from "./fresh.ts"
import { snapshotCache } from "./open.ts"
import { isDamage, type Snapshot } from "./opened.ts"

/** What one search is answered from: a snapshot, and what has happened to the cohort since it was made. */
export interface View {
  snapshot: Snapshot
  /** Series that left the cohort: they never answer. */
  deleted: ReadonlySet<string>
  /** Series that came, or came again: scanned beside the snapshot, in place of their rows in it. */
  fresh: readonly Fresh[]
  /** The snapshot was opened for this view, or for one at the same time. */
  cold: boolean
  /** What could not be read, in words: a live snapshot in whose place an earlier one answers, or fresh series. */
  damaged: readonly string[]
}

export type Views = (cohort: string) => Promise<View>

/** What this process answered from last, and has read of the fresh series. */
interface Known {
  snapshot?: Snapshot
  cache: FreshCache
}

/**
 * Views of live cohorts; snapshots and the vectors of fresh series of the latest `most` cohorts stay in memory. Every
 * call lists the two small folders of markers and reads the pointer, so a series added or deleted, or a snapshot made
 * live, by any process is seen by the next call of every other.
 */
export function liveViews(
  objects: ObjectStore,
  { most = 4, warmUpTo }: { most?: number; warmUpTo?: number } = {},
): Views {
  const open = snapshotCache(objects, { most, warmUpTo })
  const known = new Map<string, Known>()
  return async (cohort) => {
    const entry: Known = known.get(cohort) ?? { cache: new Map() }
    const seen = entry.snapshot
    // The markers first: one that a publish has cleared by now is folded into what the pointer names after.
    const [deleted, markers] = await marks(objects, cohort)
    const { snapshot, instead, cold } = await open(cohort)
    if (snapshot !== seen) {
      // Markers set for the sake of this snapshot, before it went live, may be newer than our first look.
      const [left, came] = await marks(objects, cohort)
      for (const series of left) deleted.add(series)
      for (const marker of came) if (!markers.some(({ key }) => key === marker.key)) markers.push(marker)
    }
    if (instead !== undefined) await catchUp(objects, snapshot, deleted, markers)
    known.delete(cohort)
    known.set(cohort, { snapshot, cache: entry.cache })
    for (const name of known.keys()) if (known.size > most) known.delete(name)

    const damaged: string[] = instead === undefined ? [] : [instead]
    const onDamaged = (message: string) => damaged.push(message)
    const { cache } = entry
    const came = markers.filter(({ series }) => !deleted.has(series))
    const fresh = await readFresh(objects, snapshot.manifest, came, { cache, onDamaged })
    return { snapshot, deleted, fresh, cold, damaged }
  }
}

/** Damage that comes to light in one answer makes way for the next older snapshot; a disk that ails is not asked for ever. */
const mostViews = 5

/**
 * What `use` makes of a view of the cohort. Where it meets damage that nobody knew of when the snapshot was opened,
 * the newest whole snapshot before it is asked instead.
 */
export async function withView<T>(views: Views, cohort: string, use: (view: View) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const view = await views(cohort)
    try {
      return await use(view)
    } catch (thrown) {
      if (!isDamage(thrown) || view.snapshot.damage !== thrown || attempt === mostViews) throw thrown
    }
  }
}

/**
 * Markers are kept for the live snapshot and may be gone for an earlier one. Where that answers in place of a damaged
 * one, the members themselves say who left and who came since; a series in both keeps the metadata it had then.
 */
async function catchUp(
  objects: ObjectStore,
  { manifest: { cohort }, rows }: Snapshot,
  deleted: Set<string>,
  markers: FreshMarker[],
): Promise<void> {
  const members = new Set(await memberSeries(objects, cohort))
  for (const series of rows.all()) if (!members.has(series)) deleted.add(series)
  const marked = new Set(markers.map(({ series }) => series))
  for (const series of members) {
    if (rows.of(series) === undefined && !marked.has(series))
      markers.push({ key: keys.member(cohort, series), series })
  }
}

function marks(objects: ObjectStore, cohort: string) {
  return Promise.all([deletedSeries(objects, cohort), freshMarkers(objects, cohort)])
}
