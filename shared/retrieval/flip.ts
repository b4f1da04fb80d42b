import { mapBounded, storeConcurrency } from "#shared/cohort/bounded.ts"
import { getCohort, noteEncoder } from "#shared/cohort/cohort.ts"
import { deletedSeries, markDeleted, unmarkDeleted } from "#shared/cohort/deletions.ts"
import { clearFresh, type FreshMarker, freshMarkers } from "#shared/cohort/fresh.ts"
import { memberSeries } from "#shared/cohort/members.ts"
import { type OldPointer, type Pointer, type Release, readOldPointer } from "#shared/cohort/pointer.ts"
import { Fault } from "#shared/errors.ts"
import { putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { readRows } from "./parts.ts"
import { readManifest } from "./snapshot.ts"

export interface Flip {
  cohort: string
  release: Release
  /** The series that the release holds. */
  series: readonly string[]
  /** The pointer as it was when the publish began. */
  before: OldPointer | undefined
  /** The markers of fresh series that were there before the members were read for this release. */
  folded: readonly FreshMarker[]
}

const historyLength = 50

/**
 * Makes the release live and puts the deletion markers in order. Returns whether it is live: a newer snapshot, or one
 * of another encoder, that was published since this publish began stays.
 */
export async function flip(
  objects: ObjectStore,
  { cohort, release, series, before, folded }: Flip,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const pointer = await readOldPointer(objects, cohort)
    const since = pointer?.etag !== before?.etag ? pointer?.value : undefined
    if (since && since.snapshot > release.snapshot) return false
    // Who set out before another encoder came does not bring the old one back.
    if (since && before?.value && since.encoder !== before.value.encoder) return false
    await getCohort(objects, cohort) // one that was deleted meanwhile must not come back
    // Before it answers: a series that was deleted after this publish read the members.
    await markVanished(objects, cohort, series)
    if (pointer?.value?.snapshot !== release.snapshot && !(await point(objects, cohort, release, pointer))) {
      if (attempt < 20) continue
      throw new Fault("conflict", "pointer-busy", `others keep publishing ${cohort}: publish again later`)
    }
    await noteEncoder(objects, cohort, release.encoder)
    await markVanished(objects, cohort, series)
    await clearFolded(objects, cohort, series, folded)
    await clearMarkers(objects, cohort, series, before?.value)
    return true
  }
}

/** False when somebody else moved the pointer in between. */
async function point(
  objects: ObjectStore,
  cohort: string,
  release: Release,
  over: OldPointer | undefined,
): Promise<boolean> {
  const { history = [], ...last } = over?.value ?? {}
  const past = over?.value ? [last as Release, ...history].slice(0, historyLength) : []
  try {
    const condition = over ? { ifMatch: over.etag } : { ifAbsent: true as const }
    await putJson(objects, keys.current(cohort), { ...release, history: past } satisfies Pointer, condition)
    return true
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === "precondition-failed") return false
    throw thrown
  }
}

async function markVanished(objects: ObjectStore, cohort: string, held: readonly string[]): Promise<void> {
  const members = new Set(await memberSeries(objects, cohort))
  const vanished = held.filter((series) => !members.has(series))
  await mapBounded(vanished, storeConcurrency, (series) => markDeleted(objects, cohort, series))
}

/**
 * Removes the markers of fresh series that the release holds. A reader lists them before it looks at the pointer, so
 * one that no longer sees a marker sees this release or a later one.
 */
async function clearFolded(
  objects: ObjectStore,
  cohort: string,
  series: readonly string[],
  folded: readonly FreshMarker[],
) {
  if (folded.length === 0) return
  const held = new Set(series)
  const members = new Set(await memberSeries(objects, cohort))
  // A member whose features are missing stays fresh; what is no member is nothing.
  await clearFresh(
    objects,
    folded.filter(({ series }) => held.has(series) || !members.has(series)),
  )
}

/**
 * Removes the markers of series that neither the new snapshot nor the one before it holds. The one before counts
 * because a reader may have opened it just before the flip and list the markers just after; a fresh marker
 * counts because one that outlived its member, when a deletion was cut short, must not bring the series back.
 */
async function clearMarkers(
  objects: ObjectStore,
  cohort: string,
  series: readonly string[],
  before?: Pointer,
): Promise<void> {
  const fresh = await freshMarkers(objects, cohort)
  const earlier = before ? await seriesOf(objects, cohort, before) : []
  const held = new Set([...series, ...earlier, ...fresh.map(({ series }) => series)])
  const idle = [...(await deletedSeries(objects, cohort))].filter((series) => !held.has(series))
  await mapBounded(idle, storeConcurrency, (series) => unmarkDeleted(objects, cohort, series))
}

async function seriesOf(objects: ObjectStore, cohort: string, release: Release): Promise<string[]> {
  try {
    return (await readRows(objects, await readManifest(objects, cohort, release))).all()
  } catch (thrown) {
    // A damaged snapshot answers no query, so it needs no markers.
    if (thrown instanceof Fault && thrown.code === "corrupt-snapshot") return []
    throw thrown
  }
}
