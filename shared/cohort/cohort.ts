import * as z from "zod"
import { Fault } from "#shared/errors.ts"
import { CohortName, EncoderId } from "#shared/ids.ts"
import { getJson, putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { mapBounded, type OnDamaged, readList, storeConcurrency } from "./bounded.ts"
import { readOldPointer } from "./pointer.ts"

/** A named set of series that one encoder answers for. */
export const Cohort = z.object({
  cohort: CohortName,
  /** Of the live snapshot; before there is one that the cohort was made with. */
  encoder: EncoderId,
  createdAt: z.iso.datetime(),
})
export type Cohort = z.infer<typeof Cohort>

/**
 * Makes a cohort, or returns the one that is there.
 * @throws Fault `conflict` / `wrong-encoder` when it is there with another encoder
 */
export async function createCohort(
  objects: ObjectStore,
  name: string,
  encoder: string,
  now: Date,
): Promise<Cohort> {
  const cohort: Cohort = { cohort: name, encoder, createdAt: now.toISOString() }
  let there = await findCohort(objects, name)
  if (!there) {
    try {
      await putJson(objects, keys.cohort(name), cohort, { ifAbsent: true })
      return cohort
    } catch (thrown) {
      if (!(thrown instanceof Fault && thrown.code === "precondition-failed")) throw thrown
      // Someone made it in between: theirs counts.
      there = await findCohort(objects, name)
      if (!there) throw thrown
    }
  }
  if (there.encoder !== encoder) {
    throw new Fault(
      "conflict",
      "wrong-encoder",
      `cohort ${name} holds features of encoder ${there.encoder}, not of ${encoder}: ` +
        "use that encoder, or name another cohort",
    )
  }
  return there
}

/**
 * Notes in the cohort itself which encoder answers for it: the pointer says so, and this says it once that is lost.
 * Whoever wrote it meanwhile noted a later one.
 */
export async function noteEncoder(objects: ObjectStore, name: string, encoder: string): Promise<void> {
  const made = await getJson(objects, keys.cohort(name), Cohort)
  if (!made || made.value.encoder === encoder) return
  try {
    await putJson(objects, keys.cohort(name), { ...made.value, encoder }, { ifMatch: made.etag })
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.code === "precondition-failed")) throw thrown
  }
}

/** Undefined when there is none of that name. */
export async function findCohort(objects: ObjectStore, name: string): Promise<Cohort | undefined> {
  const made = (await getJson(objects, keys.cohort(name), Cohort))?.value
  if (!made) return undefined
  const encoder = (await readOldPointer(objects, name))?.value?.encoder ?? made.encoder
  return { ...made, encoder }
}

/** @throws Fault `missing` / `no-such-cohort` */
export async function getCohort(objects: ObjectStore, name: string): Promise<Cohort> {
  const found = await findCohort(objects, name)
  if (!found) throw noSuchCohort(name)
  return found
}

/** The names of all cohorts, sorted: one listing, no reads. */
export async function cohortNames(objects: ObjectStore): Promise<string[]> {
  const all = await objects.list(keys.cohorts)
  return all
    .map((key) => key.split("/")[1])
    .filter((name, i) => all[i] === keys.cohort(name))
    .sort()
}

/** Every cohort, by name. */
export async function listCohorts(objects: ObjectStore, onDamaged?: OnDamaged): Promise<Cohort[]> {
  return readList(await cohortNames(objects), (name) => findCohort(objects, name), onDamaged)
}

/**
 * Removes the cohort's pointer, snapshots, members, markers and predictions; features stay, as other cohorts may hold
 * the series.
 * The cohort itself goes last, so an interrupted deletion can be repeated.
 * @throws Fault `missing` / `no-such-cohort`
 */
export async function deleteCohort(objects: ObjectStore, name: string): Promise<void> {
  const last = keys.cohort(name)
  // Not read: a damaged cohort can be deleted too.
  if (!(await objects.has(last))) throw noSuchCohort(name)
  await objects.delete(keys.current(name))
  const parts = [
    ...(await objects.list(keys.snapshots(name))),
    ...(await objects.list(keys.members(name))),
    ...(await objects.list(keys.deletions(name))),
    ...(await objects.list(keys.freshIn(name))),
    ...(await objects.list(keys.predictionsIn(name))),
    ...(await objects.list(keys.cohortFolder(name))),
  ]
  await mapBounded(
    parts.filter((key) => key !== last),
    storeConcurrency,
    (key) => objects.delete(key),
  )
  await objects.delete(last)
}

function noSuchCohort(name: string): Fault {
  return new Fault(
    "missing",
    "no-such-cohort",
    `there is no cohort ${name}: create it, or add series to it first`,
  )
}
