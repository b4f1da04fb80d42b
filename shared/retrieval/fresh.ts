import { mapBounded, storeConcurrency } from "#shared/cohort/bounded.ts"
import type { FreshMarker } from "#shared/cohort/fresh.ts"
import { getMember, type Member, type Scalars } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"
import { readPooled } from "#shared/features/keep.ts"
import { vectorOf } from "#shared/features/pool.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { type Column, type ColumnValue, columnOf, isDate } from "./columns.ts"
import { columnsIn, type Filter } from "./filter.ts"
import type { Manifest } from "./snapshot.ts"

/** A series that was added after the snapshot was made, as it was when it was first looked at. */
export interface Fresh {
  member: Member
  /** [dim], unit length. */
  vector: Float32Array
}

/** What is known of each series, by its markers and what its vector was made with. */
export type FreshCache = Map<string, Fresh>

/**
 * The fresh series that are members and have features under the snapshot's encoder, in the order of their ids; each
 * is read from the store once and then kept in `cache`. Who cannot be read, or has features of another encoder only, is
 * left out and told to `onDamaged`.
 */
export async function readFresh(
  objects: ObjectStore,
  { cohort, encoder, pooling, dim }: Manifest,
  markers: readonly FreshMarker[],
  { cache, onDamaged }: { cache: FreshCache; onDamaged(message: string): void },
): Promise<Fresh[]> {
  const acts = new Map<string, string[]>()
  for (const { key, series } of markers) acts.set(series, [...(acts.get(series) ?? []), key])
  // A further act names the entry anew, so that the member is read again.
  const named = [...acts].map(([series, keys]) => ({ series, name: [encoder, pooling, ...keys].join(" ") }))

  const featureless: string[] = []
  const read = await mapBounded(named, storeConcurrency, async ({ series, name }) => {
    const there = cache.get(name)
    if (there) return there
    try {
      const member = await getMember(objects, cohort, series)
      const pooled = member && (await readPooled(objects, encoder, series))
      if (member && !pooled) featureless.push(series)
      if (!member || !pooled) return undefined
      const vector = vectorOf(pooled, pooling)
      if (vector.length !== dim) throw otherDim(series, encoder)
      return { member, vector }
    } catch (thrown) {
      // One damaged series must not silence the others.
      if (!(thrown instanceof Fault)) throw thrown
      onDamaged(thrown.message)
      return undefined
    }
  })
  if (featureless.length > 0) onDamaged(noFeatures(featureless, encoder))
  cache.clear()
  for (const [i, { name }] of named.entries()) if (read[i]) cache.set(name, read[i])
  return read
    .filter((fresh) => fresh !== undefined)
    .sort((a, b) => (a.member.series < b.member.series ? -1 : 1))
}

/**
 * The fresh series' metadata as columns of the snapshot's names and types, those that the filter names. A value of
 * another type than its column counts as absent here until the next publish settles the column's type.
 */
export function freshColumns(fresh: readonly Fresh[], filter: Filter, columns: readonly Column[]): Column[] {
  const named = columnsIn(filter)
  return columns
    .filter(({ name }) => named.has(name))
    .map((column) =>
      columnOf(
        column,
        fresh.map(({ member }) => fitting(member.metadata[column.name] ?? null, column)),
      ),
    )
}

/** What a fresh series says of itself, as text where the snapshot's column is; absent values are left out. */
export function freshMetadata({ member }: Fresh, columns: readonly Column[]): Scalars {
  const mixed = new Set(columns.flatMap(({ name, mixed }) => (mixed ? [name] : [])))
  const there = Object.entries(member.metadata).filter(([, value]) => value !== null)
  return Object.fromEntries(there.map(([name, value]) => [name, mixed.has(name) ? String(value) : value]))
}

function fitting(value: ColumnValue, { type, mixed }: Column): ColumnValue {
  if (value === null || type === "null") return null
  if (mixed) return String(value)
  if (type === "date") return typeof value === "string" && isDate(value) ? value : null
  return typeof value === type ? value : null
}

function otherDim(series: string, encoder: string): Fault {
  return new Fault(
    "unavailable",
    "corrupt-features",
    `the features of ${series} under ${encoder} have another dim than the snapshot: add the series again`,
  )
}

function noFeatures(series: string[], encoder: string): string {
  const more = series.length > 5 ? `, and ${series.length - 5} more` : ""
  const names = series.toSorted().slice(0, 5).join(", ")
  return `newer series without features under ${encoder} are not found: add ${names}${more} again`
}
