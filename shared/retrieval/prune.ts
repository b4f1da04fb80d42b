import { mapBounded, storeConcurrency } from "#shared/cohort/bounded.ts"
import { readOldPointer, readPointer } from "#shared/cohort/pointer.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"

/** Snapshots kept beside an older live one: enough to go back over a bad week of nightly publishes. */
export const keptSnapshots = 5

/**
 * Removes all but the newest whole snapshots, the newest that were live, and the live one, each manifest first: what is
 * half gone is not listed and not opened. One that a rollback makes live meanwhile stays. Parts without a manifest go
 * too once they are older than those kept: a newer one may be on its way.
 */
export async function prune(objects: ObjectStore, cohort: string): Promise<void> {
  const folder = keys.snapshots(cohort)
  const all = await objects.list(folder)
  const manifest = "/manifest.json"
  const idOf = (key: string) => key.split("/")[3]
  const whole = all.filter((key) => key.endsWith(manifest)).map(idOf)
  const oldest = whole.toSorted().at(-keptSnapshots)
  if (oldest === undefined) return
  const found = await readOldPointer(objects, cohort)
  const pointer = found?.value
  if (found && !pointer) return // which of them is live is not known
  // Candidates that the gate kept back must not push out what one can go back to.
  const released = new Set(pointer && [pointer, ...pointer.history].map(({ snapshot }) => snapshot))
  const former = whole
    .filter((id) => released.has(id))
    .toSorted()
    .slice(-keptSnapshots)
  const kept = new Set([...former, ...(pointer ? [pointer.snapshot] : [])])
  const old = all.filter((key) => idOf(key) < oldest && !kept.has(idOf(key)))
  const back = new Set<string>()
  for (const key of old.filter((key) => key.endsWith(manifest))) {
    const taken = await objects.get(key)
    await objects.delete(key)
    // A rollback looks for the manifest after it has set the pointer, so that one of the two sees the other.
    if ((await readPointer(objects, cohort))?.value.snapshot !== idOf(key)) continue
    if (taken) await objects.put(key, taken.bytes)
    back.add(idOf(key))
  }
  const parts = old.filter((key) => !key.endsWith(manifest) && !back.has(idOf(key)))
  await mapBounded(parts, storeConcurrency, (key) => objects.delete(key))
}
