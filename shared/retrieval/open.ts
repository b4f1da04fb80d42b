import { isUnreadable } from "#shared/cohort/bounded.ts"
import { getCohort } from "#shared/cohort/cohort.ts"
import { type Pointer, readPointer } from "#shared/cohort/pointer.ts"
import { Fault } from "#shared/errors.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { isDamage, openRelease, type Snapshot } from "./opened.ts"
import { checkParts } from "./parts.ts"
import { readManifest } from "./snapshot.ts"

/**
 * Opens the cohort's live snapshot.
 * @throws Fault `missing` / `not-published`, `no-such-cohort`; `unavailable` / `corrupt-snapshot`
 */
export async function openSnapshot(
  objects: ObjectStore,
  cohort: string,
  warmUpTo?: number,
): Promise<Snapshot> {
  return openRelease(objects, cohort, (await livePointer(objects, cohort)).value, warmUpTo)
}

/** A snapshot to answer from: the live one or, where that is damaged, the newest whole one before it. */
export interface Opened {
  snapshot: Snapshot
  /** Why it is not the live one, or is not known to be; absent when it is. */
  instead?: string
}

/** How long an earlier snapshot answers before the damaged one is looked at again: someone may have restored it. */
const damagedMs = 60_000

interface Entry {
  pointer: LivePointer
  at: number
  opened: Promise<Opened>
  done?: Opened
}

/**
 * Opens snapshots and keeps the latest `most` cohorts' open. Each call looks at the pointer once, so a flip by any
 * process is seen by the next call; what it returns is one snapshot, whole, whatever is published meanwhile. While the
 * pointer is damaged, what it named last answers. `cold`:
 * this call had to wait for an opening.
 * @throws Fault as `openSnapshot`; `corrupt-snapshot` only when none in the pointer's history is whole
 */
export function snapshotCache(
  objects: ObjectStore,
  { most = 4, warmUpTo }: { most?: number; warmUpTo?: number } = {},
): (cohort: string) => Promise<Opened & { cold: boolean }> {
  const entries = new Map<string, Entry>()
  /** Snapshots in which something was found damaged after they were opened: all of it is checked before they are again. */
  const suspects = new Map<string, Fault>()

  return async (cohort) => {
    let damage: string | undefined
    const pointer = await livePointer(objects, cohort, entries.get(cohort)?.pointer).catch((thrown) => {
      const known = entries.get(cohort)?.pointer
      if (!known || !isUnreadable(thrown)) throw thrown
      // A pointer that cannot be read says nothing against what it named when it could.
      damage = thrown.message
      return known
    })
    let entry = entries.get(cohort)
    entries.delete(cohort)
    const had = entry?.done?.snapshot
    const again = entry?.done?.instead !== undefined && Date.now() - entry.at > damagedMs
    if (had?.damage) suspects.set(had.manifest.snapshot, had.damage)
    if (entry?.pointer.etag !== pointer.etag || again || had?.damage) {
      const opened = newestWhole(objects, cohort, pointer.value, { had, suspects, warmUpTo })
      const opening: Entry = { pointer, at: Date.now(), opened }
      opened.then(
        (done) => {
          opening.done = done
        },
        () => {
          if (entries.get(cohort) === opening) entries.delete(cohort)
        },
      )
      entry = opening
    }
    entries.set(cohort, entry)
    for (const name of entries.keys()) if (entries.size > most) entries.delete(name)
    const cold = entry.done === undefined
    const opened = await entry.opened
    return { ...opened, ...(damage === undefined ? {} : { instead: opened.instead ?? damage }), cold }
  }
}

interface Known {
  /** One that is open already. */
  had?: Snapshot
  suspects: Map<string, Fault>
  warmUpTo?: number
}

async function newestWhole(
  objects: ObjectStore,
  cohort: string,
  pointer: Pointer,
  { had, suspects, warmUpTo }: Known,
): Promise<Opened> {
  let damage: Fault | undefined
  for (const release of [pointer, ...pointer.history]) {
    try {
      const isOpen = had?.manifest.snapshot === release.snapshot && !had.damage
      if (suspects.has(release.snapshot)) {
        await checkParts(objects, await readManifest(objects, cohort, release))
        suspects.delete(release.snapshot)
      }
      const snapshot = isOpen ? had : await openRelease(objects, cohort, release, warmUpTo)
      return { snapshot, ...(damage ? { instead: damage.message } : {}) }
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown
      damage ??= thrown
    }
  }
  throw damage
}

interface LivePointer {
  value: Pointer
  etag: string
}

/** `known` is read again only when it has changed. */
async function livePointer(objects: ObjectStore, cohort: string, known?: LivePointer): Promise<LivePointer> {
  if (known) {
    const now = await objects.get(keys.current(cohort), { start: 0, end: 0 })
    if (now?.etag === known.etag) return known
  }
  const pointer = await readPointer(objects, cohort)
  if (pointer) return pointer
  await getCohort(objects, cohort)
  throw new Fault("missing", "not-published", `cohort ${cohort} has no snapshot yet: publish it first`)
}
