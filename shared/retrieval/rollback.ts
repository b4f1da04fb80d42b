import * as z from "zod"
import { mapBounded, storeConcurrency } from "#shared/cohort/bounded.ts"
import { getCohort } from "#shared/cohort/cohort.ts"
import { markFresh } from "#shared/cohort/fresh.ts"
import { memberSeries } from "#shared/cohort/members.ts"
import { type Pointer, type Release, readPointer } from "#shared/cohort/pointer.ts"
import { Fault } from "#shared/errors.ts"
import { EncoderId, SnapshotId } from "#shared/ids.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { flip } from "./flip.ts"
import { readRows, wholeManifest } from "./parts.ts"
import type { Manifest } from "./snapshot.ts"

export interface RollbackOrder {
  cohort: string
  /** The snapshot to go back to; the newest whole one older than the live one when absent. */
  to?: string
  now: Date
}

export const RolledBack = z.object({
  /** What is live now, and what was before. */
  snapshot: SnapshotId,
  from: SnapshotId,
  count: z.int(),
  encoder: EncoderId,
  /** Members that the snapshot does not hold: searches scan them beside it. */
  fresh: z.int(),
  /** Others that it does not hold, and that have no features under its encoder: not found until they are added again. */
  missing: z.int(),
})
export type RolledBack = z.infer<typeof RolledBack>

/**
 * Makes a snapshot live again that was live before; every part of it is checked first. Series deleted since stay
 * gone, series added since are scanned beside it, and metadata are as they were published then. Its encoder answers
 * for the cohort again. The next publish goes on from the members as they are.
 * @throws Fault `no-such-cohort`, `not-published`, `no-such-snapshot`, `nothing-before`, `corrupt-snapshot`, `pointer-busy`
 */
export async function rollback(
  objects: ObjectStore,
  { cohort, to, now }: RollbackOrder,
): Promise<RolledBack> {
  await getCohort(objects, cohort)
  const before = await readPointer(objects, cohort)
  if (!before) {
    throw new Fault("missing", "not-published", `cohort ${cohort} has no snapshot yet: publish it first`)
  }
  const { release, manifest } = await target(objects, cohort, before.value, to)
  const series = (await readRows(objects, manifest)).all()
  const held = new Set(series)
  const newer = (await memberSeries(objects, cohort)).filter((series) => !held.has(series))
  // Before the flip: who sees the old snapshot again sees these too.
  await mapBounded(newer, storeConcurrency, (series) => markFresh(objects, cohort, series))
  const known = await mapBounded(newer, storeConcurrency, (series) =>
    objects.has(keys.features(release.encoder, series)),
  )
  const missing = known.filter((has) => !has).length
  const at = now.toISOString()
  if (!(await flip(objects, { cohort, release: { ...release, at }, series, before, folded: [] }))) {
    throw busy(`a newer snapshot of ${cohort} went live meanwhile: look, and repeat`)
  }
  // A publish may have begun to remove it just before: `prune` looks at the pointer after it took the manifest.
  const { encoder, snapshot } = release
  if (!(await objects.has(keys.snapshotPart(cohort, encoder, snapshot, "manifest.json")))) {
    await undo(objects, cohort, before.value, at)
    throw busy(`snapshot ${snapshot} of ${cohort} was removed meanwhile as one too many: choose another`)
  }
  return {
    snapshot: release.snapshot,
    from: before.value.snapshot,
    count: manifest.count,
    encoder: release.encoder,
    fresh: newer.length - missing,
    missing,
  }
}

/** Makes live again what was live before, if that is whole; else it answers as the newest whole one does. */
async function undo(objects: ObjectStore, cohort: string, { history: _, ...live }: Pointer, at: string) {
  const manifest = await wholeManifest(objects, cohort, live)
  if (!manifest) return
  const series = (await readRows(objects, manifest)).all()
  const before = await readPointer(objects, cohort)
  await flip(objects, { cohort, release: { ...live, at }, series, before, folded: [] })
}

function busy(message: string): Fault {
  return new Fault("conflict", "pointer-busy", message)
}

async function target(
  objects: ObjectStore,
  cohort: string,
  { history, ...live }: Pointer,
  to: string | undefined,
): Promise<{ release: Release; manifest: Manifest }> {
  if (to === undefined) {
    for (const release of history.filter(({ snapshot }) => snapshot < live.snapshot)) {
      const manifest = await wholeManifest(objects, cohort, release)
      if (manifest) return { release, manifest }
    }
    const message = `no whole snapshot of ${cohort} before ${live.snapshot} is kept: publish the cohort again`
    throw new Fault("conflict", "nothing-before", message)
  }
  const release = [live, ...history].find(({ snapshot }) => snapshot === to)
  if (!release) {
    const known = [...new Set(history.map(({ snapshot }) => snapshot))].join(", ") || "none"
    const message = `${to} was never live in cohort ${cohort}: before the live one there were ${known}`
    throw new Fault("missing", "no-such-snapshot", message)
  }
  const manifest = await wholeManifest(objects, cohort, release)
  if (manifest) return { release, manifest }
  const message = `snapshot ${to} of cohort ${cohort} is damaged or no longer kept: choose another, or publish again`
  throw new Fault("unavailable", "corrupt-snapshot", message)
}
