import { keys } from "#shared/store/keys.ts"
import { newNonce } from "#shared/store/owner.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { mapBounded, storeConcurrency } from "./bounded.ts"

/** One act of adding a series. The key names the act, so that clearing it can never clear a later one. */
export interface FreshMarker {
  key: string
  series: string
}

/**
 * The series added since the live snapshot read the members, once per act: search scans them beside the snapshot.
 * A marker is an empty object; publishing clears those that were there before it read.
 */
export async function freshMarkers(objects: ObjectStore, cohort: string): Promise<FreshMarker[]> {
  const folder = keys.freshIn(cohort)
  return (await objects.list(folder)).map((key) => ({
    key,
    series: key.slice(folder.length, key.lastIndexOf(".")),
  }))
}

/** To be called once the member is stored: who sees the marker can read the member. */
export async function markFresh(objects: ObjectStore, cohort: string, series: string): Promise<void> {
  await objects.put(keys.fresh(cohort, series, newNonce()), new Uint8Array())
}

/** Removes every marker of a series. */
export async function unmarkFresh(objects: ObjectStore, cohort: string, series: string): Promise<void> {
  for (const key of await objects.list(keys.freshOf(cohort, series))) await objects.delete(key)
}

export async function clearFresh(objects: ObjectStore, markers: readonly FreshMarker[]): Promise<void> {
  await mapBounded(markers, storeConcurrency, ({ key }) => objects.delete(key))
}
