import { prng, type Random, shuffle } from "../math/prng.ts"
import { needed, type Study } from "../study/rows.ts"

/** Rows of a training part by patient, in an order of which every beginning is a fair draw. */
export interface Order {
  /** The rows of each patient, first patient first. */
  patients: Uint32Array[]
}

/**
 * Puts the patients of some rows in order by lot, stratified: the first n hold of each stratum (a class, or a part of the
 * range of a number) about the share that all of them do. One of each stratum that every head must have learned from
 * comes first, so that no class is missing from any beginning long enough. Draws of the same seed are nested.
 */
export function drawOrder(study: Study, rows: Uint32Array, seed: number): Order {
  const random = prng(seed)
  const patients = byPatient(study.group, rows)
  const strata = byRarest(patients, study.stratum)
  const must = needed(study.kind, study.stratum)
  const placed = [...strata].flatMap(([stratum, members]) =>
    places(shuffle(members.slice(), random), must.has(stratum), random),
  )
  placed.sort((a, b) => a.at - b.at)
  return { patients: placed.map(({ patient }) => patient) }
}

/** Patients of one stratum, evenly along the way from 0 to 1; the first before 0 if there must be one. */
function places(members: Uint32Array[], first: boolean, random: Random) {
  const offset = random()
  return members.map((patient, i) => ({
    patient,
    at: first && i === 0 ? offset - 1 : (i + offset) / members.length,
  }))
}

/** The rows of the first so many patients, ascending. */
export function firstOf({ patients }: Order, count: number): Uint32Array {
  return Uint32Array.from(patients.slice(0, count).flatMap((rows) => [...rows])).sort()
}

function byPatient(group: Uint32Array, rows: Uint32Array): Uint32Array[] {
  const found = new Map<number, number[]>()
  for (const row of rows) {
    const of = found.get(group[row])
    if (of) of.push(row)
    else found.set(group[row], [row])
  }
  return [...found.values()].map((of) => Uint32Array.from(of))
}

/** Patients by the one of their strata that the fewest patients have, the strata in order of their numbers. */
function byRarest(patients: Uint32Array[], stratum: Uint32Array): Map<number, Uint32Array[]> {
  const strata = patients.map((rows) => new Set(Array.from(rows, (row) => stratum[row])))
  const count = new Map<number, number>()
  for (const of of strata) for (const s of of) count.set(s, (count.get(s) ?? 0) + 1)
  const found = new Map<number, Uint32Array[]>()
  for (const s of [...count.keys()].sort((a, b) => a - b)) found.set(s, [])
  for (const [i, of] of strata.entries()) {
    const [rarest] = [...of].sort((a, b) => count.get(a)! - count.get(b)! || a - b)
    found.get(rarest)!.push(patients[i])
  }
  return found
}
