import { Fault } from "#shared/errors.ts"
import { type Column, isDate } from "./columns.ts"
import type { Comparison, FilterValue } from "./filter.ts"

/** @throws Fault `invalid` / `bad-filter` where a column cannot be compared with such a value; `at`: where it says so */
export function checkType(op: Comparison, value: FilterValue, column: Column, at: number): void {
  const wrong = (what: string) =>
    new Fault("invalid", "bad-filter", `the filter is wrong at ${at}: column '${column.name}' ${what}`)
  const ordered = op !== "=" && op !== "!="
  if (value === null) {
    if (ordered) throw wrong("cannot be smaller or larger than null: use =, != or exists")
    return
  }
  if (column.type === "null") return
  if (column.type === "date") {
    if (typeof value !== "string" || !isDate(value))
      throw wrong("holds dates: compare it with one, as 2024-02-29")
    return
  }
  if (typeof value !== column.type) {
    const held = column.mixed ? "values of mixed types, compared as text" : `${column.type}s`
    throw wrong(`holds ${held}, and cannot be compared with the ${typeof value} ${JSON.stringify(value)}`)
  }
  if (ordered && column.type === "boolean") throw wrong("holds booleans: use = or !=")
}

export function unknownColumn(name: string, at: number, columns: readonly Column[]): Fault {
  const names = columns.map((column) => column.name)
  const listed = names.slice(0, 50).join(", ") + (names.length > 50 ? `, and ${names.length - 50} more` : "")
  return new Fault(
    "invalid",
    "unknown-column",
    `the filter is wrong at ${at}: there is no column '${name.slice(0, 100)}'; ` +
      (names.length > 0 ? `there are: ${listed}` : "this cohort has no metadata: add some and publish"),
  )
}
