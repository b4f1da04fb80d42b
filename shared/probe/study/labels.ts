import type { Member, Scalar } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"

export interface Labelled<T> {
  member: Member
  value: T
}

const maxClasses = 50

/** A column of a member: among its labels, or else its metadata. Null and empty text are no value. */
export function columnOf(member: Member, column: string): Exclude<Scalar, null> | undefined {
  const value = Object.hasOwn(member.labels, column) ? member.labels[column] : member.metadata[column]
  return value === null || value === "" ? undefined : value
}

/**
 * The members that have a value in the column.
 * @throws Fault `invalid` / `no-such-column` when none has, with the columns there are
 */
export function labelled(members: Member[], column: string): Labelled<Exclude<Scalar, null>>[] {
  const found = members.flatMap((member) => {
    const value = columnOf(member, column)
    return value === undefined ? [] : [{ member, value }]
  })
  if (found.length === 0) {
    const columns = new Set(members.flatMap((m) => [...Object.keys(m.labels), ...Object.keys(m.metadata)]))
    const listed = [...columns].sort().slice(0, 40).join(", ")
    throw new Fault(
      "invalid",
      "no-such-column",
      `no series has a value in column '${column}': ` +
        (listed ? `the columns are ${listed}` : "give the series labels first, by CSV or member by member"),
    )
  }
  return found
}

/** @throws Fault `invalid` / `bad-label` for what is no finite number */
export function finite(labels: Labelled<string | number | boolean>[], column: string): Float64Array {
  const bad = labels.filter(({ value }) => !Number.isFinite(value))
  if (bad.length > 0) {
    throw badLabel(bad, column, "are not numbers: correct or empty them, or use --task classification")
  }
  return Float64Array.from(labels, ({ value }) => Number(value))
}

/** @throws Fault `invalid` / `bad-label` for what is no finite number, `constant-label` when all are the same */
export function numbers(labels: Labelled<string | number | boolean>[], column: string): Float64Array {
  const target = finite(labels, column)
  if (target.every((t) => t === target[0])) {
    throw new Fault(
      "invalid",
      "constant-label",
      `all ${target.length} series have the same number in '${column}': there is nothing to learn; label others`,
    )
  }
  return target
}

/**
 * Each label's number among the classes. Classes are compared as text; they are sorted as numbers where all are
 * numbers, else as text, and of two the second is the positive one.
 * @throws Fault `invalid` / `one-class`, `too-many-classes`, `too-few-labels`, `bad-label`
 */
export function classes(
  labels: Labelled<string | number | boolean>[],
  column: string,
): { target: Float64Array; names: string[] } {
  const bad = labels.filter(({ value }) => String(value).toLowerCase() === "nan")
  if (bad.length > 0) throw badLabel(bad, column, "are NaN, which is no class: correct or empty them")

  const names = [...new Set(labels.map(({ value }) => String(value)))].sort()
  if (names.every((name) => Number.isFinite(Number(name)))) names.sort((a, b) => Number(a) - Number(b))
  if (names.length === 1) {
    throw new Fault(
      "invalid",
      "one-class",
      `all ${labels.length} series are '${names[0]}' in column '${column}': label series of another class too`,
    )
  }
  if (names.length > maxClasses) {
    throw new Fault(
      "invalid",
      "too-many-classes",
      `column '${column}' has ${names.length} different values, and at most ${maxClasses} can be classes: ` +
        "group them, or use --task regression if they are numbers",
    )
  }
  const number = new Map(names.map((name, k) => [name, k]))
  const target = Float64Array.from(labels, ({ value }) => number.get(String(value))!)
  const rare = names.find((_, k) => target.indexOf(k) === target.lastIndexOf(k))
  if (rare !== undefined) {
    throw new Fault(
      "invalid",
      "too-few-labels",
      `only one series is '${rare}' in column '${column}', and it takes two to test on one: ` +
        "label more, or merge or empty that class",
    )
  }
  return { target, names }
}

/** The fault for some labels, which names their series, never their values; `remedy` completes it. */
export function badLabel(bad: Labelled<unknown>[], column: string, remedy: string): Fault {
  const named = bad.slice(0, 5).map(({ member }) => member.series)
  const more = bad.length > named.length ? ` and ${bad.length - named.length} more` : ""
  return new Fault(
    "invalid",
    "bad-label",
    `${bad.length} labels in column '${column}' ${remedy}; series ${named.join(", ")}${more}`,
  )
}
