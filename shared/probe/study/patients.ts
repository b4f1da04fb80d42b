import type { Member } from "#shared/cohort/members.ts"
import { columnOf } from "./labels.ts"

export interface Patients {
  /** The patient of each member, numbered from 0. */
  group: Uint32Array
  count: number
  /** Whether any member has a value in the column `patient`. */
  known: boolean
  /** Members without one, where others have it: each is taken for a patient of its own. */
  missing: number
}

/** Who is who, by the column `patient` of labels or metadata; without it every series is a patient of its own. */
export function patientsOf(members: Member[]): Patients {
  const numbers = new Map<string, number>()
  let missing = 0
  const group = Uint32Array.from(members, (member) => {
    const patient = columnOf(member, "patient")
    if (patient === undefined) missing++
    const name = patient === undefined ? `series ${member.series}` : `patient ${patient}`
    if (!numbers.has(name)) numbers.set(name, numbers.size)
    return numbers.get(name)!
  })
  const known = missing < members.length
  return { group, count: numbers.size, known, missing: known ? missing : 0 }
}
