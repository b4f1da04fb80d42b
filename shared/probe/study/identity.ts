import type { Member } from "#shared/cohort/members.ts"
import type { Note } from "../record.ts"
import { columnOf } from "./labels.ts"

/** Series that a rule must hold for before it is no accident. */
const fewest = 8

/**
 * Says of a column that it names the series in place of telling something of them: one value for each source, an
 * id's number, a running number, or nearly as many classes as series.
 */
export function identityNotes(members: Member[], column: string, task: string): Note[] {
  if (members.length < fewest) return []
  const values = members.map((member) => String(columnOf(member, column)))
  const why = task === "classification" ? classIs(members, values) : numberIs(members, values)
  if (why === undefined) return []
  return [
    {
      code: "leak-identity",
      message: `'${column}' ${why}: it seems to name the series, and not to tell something of them`,
    },
  ]
}

function classIs(members: Member[], values: string[]): string | undefined {
  const classes = new Set(values).size
  if (classes > values.length / 3) return `has ${classes} different values in ${values.length} series`
  const sources = new Set(members.map(({ source }) => source)).size
  const pairs = new Set(members.map(({ source }, i) => JSON.stringify([source, values[i]]))).size
  return sources === classes && pairs === classes ? "has one value for each source" : undefined
}

function numberIs(members: Member[], values: string[]): string | undefined {
  const numbers = values.map(Number)
  if (members.every(({ source }, i) => numbersIn(source).includes(numbers[i])))
    return "is a number in the name of the source"
  if (members.every((member, i) => numbersIn(String(columnOf(member, "patient") ?? "")).includes(numbers[i])))
    return "is the number of the patient"
  const low = numbers.reduce((a, b) => Math.min(a, b))
  const high = numbers.reduce((a, b) => Math.max(a, b))
  const running =
    numbers.every(Number.isInteger) && new Set(numbers).size === numbers.length && high - low < numbers.length
  return running ? `runs from ${low} to ${high} without a gap` : undefined
}

function numbersIn(name: string): number[] {
  return (name.match(/\d+/g) ?? []).map(Number)
}
