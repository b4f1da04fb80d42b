import { deletedSeries } from "#shared/cohort/deletions.ts"
import { freshMarkers } from "#shared/cohort/fresh.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { type Fresh, type FreshCache, readFresh } from "./fresh.ts"
import { type Snapshot, snapshotCache } from "./open.ts"

/** What one search is answered from: a snapshot, and what has happened to the cohort since it was made. */
export interface View {
  snapshot: Snapshot
  /** Series that left the cohort: they never answer. */
  deleted: ReadonlySet<string>
  /** Series that came, or came again: scanned beside the snapshot, in place of their rows in it. */
  fresh: readonly Fresh[]
  /** What could not be read, in words: the answer lacks it. */
  damaged: readonly string[]
}

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
export function liveViews(objects: ObjectStore, most = 4): (cohort: string) => Promise<View> {
  const open = snapshotCache(objects, most)
  const known = new Map<string, Known>()
  return async (cohort) => {
    const entry: Known = known.get(cohort) ?? { cache: new Map() }
    const seen = entry.snapshot
    // The markers first: one that a publish has cleared by now is folded into what the pointer names after.
    const [deleted, markers] = await marks(objects, cohort)
    const snapshot = await open(cohort)
    if (snapshot !== seen) {
      // Markers set for the sake of this snapshot, before it went live, may be newer than our first look.
      const [left, came] = await marks(objects, cohort)
      for (const series of left) deleted.add(series)
      for (const marker of came) if (!markers.some(({ key }) => key === marker.key)) markers.push(marker)
    }
    known.delete(cohort)
    known.set(cohort, { snapshot, cache: entry.cache })
    for (const name of known.keys()) if (known.size > most) known.delete(name)

    const damaged: string[] = []
    const onDamaged = (message: string) => damaged.push(message)
    const { cache } = entry
    const read = await readFresh(objects, snapshot.manifest, markers, { cache, onDamaged })
    return { snapshot, deleted, fresh: read.filter(({ member }) => !deleted.has(member.series)), damaged }
  }
}

function marks(objects: ObjectStore, cohort: string) {
  return Promise.all([deletedSeries(objects, cohort), freshMarkers(objects, cohort)])
}
