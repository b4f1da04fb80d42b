import * as z from "zod"
import { Fault } from "#shared/errors.ts"
import { SeriesId } from "#shared/ids.ts"
import { getJson, putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { mapBounded, type OnDamaged, readList, storeConcurrency } from "./bounded.ts"
import { cohortNames } from "./cohort.ts"
import { markDeleted, unmarkDeleted } from "./deletions.ts"
import { markFresh, unmarkFresh } from "./fresh.ts"

/** The name of a metadata or label column. */
export const ColumnName = z
  .string()
  .regex(
    /^(?!__proto__$)[^\s\p{Cc}](?:[^\p{Cc}]{0,98}[^\s\p{Cc}])?$/u,
    "a column's name is 1 to 100 characters without control characters or outer spaces",
  )

export const Scalar = z.union([z.string().max(2000), z.number(), z.boolean(), z.null()])
export type Scalar = z.infer<typeof Scalar>

export const Scalars = z
  .record(ColumnName, Scalar)
  .refine((columns) => Object.keys(columns).length <= 500, "at most 500 columns")
export type Scalars = z.infer<typeof Scalars>

/** One series of a cohort, with what its owner says about it. Null means: known to be absent. */
export const Member = z.object({
  series: SeriesId,
  /** Where the bytes came from, in the caller's words: a path as given, or an upload's name. */
  source: z.string(),
  metadata: Scalars,
  labels: Scalars,
  addedAt: z.iso.datetime(),
})
export type Member = z.infer<typeof Member>

export interface NewMember {
  series: string
  source: string
  metadata?: Scalars
  labels?: Scalars
}

/**
 * Adds a series to a cohort. Where it is a member already, its metadata and labels stay, the given ones are laid
 * over them, and the latest source wins.
 */
export async function addMember(
  objects: ObjectStore,
  cohort: string,
  { series, source, metadata = {}, labels = {} }: NewMember,
  now: Date,
): Promise<Member> {
  const key = keys.member(cohort, series)
  for (let attempt = 1; ; attempt++) {
    const there = await getJson(objects, key, Member)
    const member: Member = {
      series,
      source,
      metadata: { ...there?.value.metadata, ...metadata },
      labels: { ...there?.value.labels, ...labels },
      addedAt: there?.value.addedAt ?? now.toISOString(),
    }
    try {
      await putJson(objects, key, member, there ? { ifMatch: there.etag } : { ifAbsent: true })
    } catch (thrown) {
      // Somebody wrote it in between: lay ours over theirs.
      if (thrown instanceof Fault && thrown.code === "precondition-failed" && attempt < 10) continue
      throw thrown
    }
    await markFresh(objects, cohort, series)
    await unmarkDeleted(objects, cohort, series)
    return member
  }
}

type Columns = Partial<Pick<Member, "metadata" | "labels">>

/**
 * Sets the metadata, the labels, or both of a member; what is left out stays. Undefined when the series is not in
 * the cohort, as when it was deleted in between: nobody brings it back by describing it.
 */
export async function updateMember(
  objects: ObjectStore,
  cohort: string,
  series: string,
  columns: Columns | ((member: Member) => Columns),
): Promise<Member | undefined> {
  const key = keys.member(cohort, series)
  for (let attempt = 1; ; attempt++) {
    const there = await getJson(objects, key, Member)
    if (!there) return undefined
    const given = typeof columns === "function" ? columns(there.value) : columns
    const member = { ...there.value, ...given }
    try {
      await putJson(objects, key, member, { ifMatch: there.etag })
      return member
    } catch (thrown) {
      if (!(thrown instanceof Fault && thrown.code === "precondition-failed" && attempt < 10)) throw thrown
    }
  }
}

/** Undefined when the series is not in the cohort. */
export async function getMember(
  objects: ObjectStore,
  cohort: string,
  series: string,
): Promise<Member | undefined> {
  return (await getJson(objects, keys.member(cohort, series), Member))?.value
}

/** The ids of a cohort's series, sorted: one listing, no reads. */
export async function memberSeries(objects: ObjectStore, cohort: string): Promise<string[]> {
  const folder = keys.members(cohort)
  return (await objects.list(folder)).map((key) => key.slice(folder.length, -".json".length))
}

/** Every member, by series id. */
export async function listMembers(
  objects: ObjectStore,
  cohort: string,
  onDamaged?: OnDamaged,
): Promise<Member[]> {
  const series = await memberSeries(objects, cohort)
  return readList(series, (id) => getMember(objects, cohort, id), onDamaged)
}

/** Takes a series out of one cohort, and out of its search at once; its features stay. */
export async function deleteMember(objects: ObjectStore, cohort: string, series: string): Promise<void> {
  // The marker first, and even when nothing is published: a publish under way may have read the member.
  await markDeleted(objects, cohort, series)
  await objects.delete(keys.member(cohort, series))
  await unmarkFresh(objects, cohort, series)
}

/** The cohorts that a series is in, and the encoders under which its features are kept. */
export async function whereIs(
  objects: ObjectStore,
  series: string,
): Promise<{ cohorts: string[]; encoders: string[] }> {
  const all = await cohortNames(objects)
  const holds = await mapBounded(all, storeConcurrency, (cohort) => objects.has(keys.member(cohort, series)))
  const encoders = (await objects.list(keys.allFeatures))
    .map((key) => [key, key.split("/")[1]])
    .filter(([key, encoder]) => key === keys.features(encoder, series))
  return { cohorts: all.filter((_, i) => holds[i]), encoders: encoders.map(([, encoder]) => encoder) }
}

/**
 * Removes a series everywhere: from every cohort and its search at once, its features under every encoder, and the
 * overlays that show it.
 * Live snapshots keep its vector until their next publish, but never answer with it. Safe to repeat; false when
 * there was nothing to remove.
 */
export async function deleteSeries(objects: ObjectStore, series: string): Promise<boolean> {
  const { cohorts, encoders } = await whereIs(objects, series)
  for (const cohort of cohorts) await deleteMember(objects, cohort, series)
  for (const encoder of encoders) await objects.delete(keys.features(encoder, series))
  const overlays = (await objects.list(keys.probes)).filter((key) => {
    const [, probe, version] = key.split("/")
    return key === keys.probeOverlay(probe, version, series)
  })
  for (const key of overlays) await objects.delete(key)
  return cohorts.length + encoders.length + overlays.length > 0
}
