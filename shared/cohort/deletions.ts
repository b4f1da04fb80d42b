import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"

/**
 * Series that left the cohort although its live snapshot may still hold them: search must not answer with these.
 * A marker is an empty object; publishing clears those that its snapshot no longer needs.
 */
export async function deletedSeries(objects: ObjectStore, cohort: string): Promise<Set<string>> {
  const folder = keys.deletions(cohort)
  return new Set((await objects.list(folder)).map((key) => key.slice(folder.length)))
}

export async function markDeleted(objects: ObjectStore, cohort: string, series: string): Promise<void> {
  await objects.put(keys.deleted(cohort, series), new Uint8Array())
}

export async function unmarkDeleted(objects: ObjectStore, cohort: string, series: string): Promise<void> {
  await objects.delete(keys.deleted(cohort, series))
}
