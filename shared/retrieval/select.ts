import { Fault } from "#shared/errors.ts"
import { type Column, isDate } from "./columns.ts"
import type { Comparison, Filter, FilterValue } from "./filter.ts"

/**
 * The rows that pass, ascending. A filter that does not fit the columns is refused, whatever the rows hold.
 * @throws Fault `invalid`: `unknown-column`, `bad-filter` for a value of another type than its column
 */
export function select(filter: Filter, columns: readonly Column[]): Uint32Array {
  const byName = new Map(columns.map((column) => [column.name, column]))
  const mask = maskOf(filter, byName)
  let count = 0
  for (let row = 0; row < mask.length; row++) count += mask[row]
  const rows = new Uint32Array(count)
  let found = 0
  for (let row = 0; row < mask.length; row++) if (mask[row]) rows[found++] = row
  return rows
}

/** Filters of one snapshot; the rows of each take up to 4 bytes a row. */
const mostKept = 8
const kept = new WeakMap<readonly Column[], Map<string, Uint32Array>>()

/**
 * As `select`, of columns that do not change; nobody may change the rows either. The filters asked last are kept by
 * their text: to look at a hundred thousand rows takes 1 to 4 ms, and to scan the few that pass 0.1.
 */
export function selectKept(text: string, filter: Filter, columns: readonly Column[]): Uint32Array {
  const ofThese = kept.get(columns) ?? new Map<string, Uint32Array>()
  kept.set(columns, ofThese)
  const rows = ofThese.get(text) ?? select(filter, columns)
  ofThese.delete(text)
  ofThese.set(text, rows)
  for (const oldest of ofThese.keys()) if (ofThese.size > mostKept) ofThese.delete(oldest)
  return rows
}

type Mask = Uint8Array<ArrayBuffer>

function maskOf(filter: Filter, columns: Map<string, Column>): Mask {
  if (filter.kind === "not") return maskOf(filter.of, columns).map((pass) => 1 - pass)
  // Plain loops: a filter of a thousand terms on a hundred thousand rows must not hold everybody up.
  if (filter.kind === "and" || filter.kind === "or") {
    const mask = maskOf(filter.of[0], columns)
    for (const part of filter.of.slice(1)) {
      const other = maskOf(part, columns)
      if (filter.kind === "and") for (let row = 0; row < mask.length; row++) mask[row] &= other[row]
      else for (let row = 0; row < mask.length; row++) mask[row] |= other[row]
    }
    return mask
  }
  const column = columns.get(filter.column)
  if (!column) throw unknownColumn(filter.column, filter.at, columns)
  const pass = passing(filter, column)
  const mask = new Uint8Array(column.values.length)
  for (let row = 0; row < mask.length; row++) if (pass(column.values[row])) mask[row] = 1
  return mask
}

type Test = Extract<Filter, { at: number }>

function passing(test: Test, column: Column): (value: FilterValue) => boolean {
  if (test.kind === "exists") return (value) => value !== null
  if (test.kind === "in") {
    for (const value of test.values) checkType("=", value, column, test.at)
    const set = new Set(test.values)
    return (value) => set.has(value)
  }
  const { op, value: than } = test
  checkType(op, than, column, test.at)
  if (op === "=") return (value) => value === than
  if (op === "!=") return (value) => value !== than
  return (value) => value !== null && than !== null && inOrder(value, op, than)
}

function inOrder(a: string | number | boolean, op: Comparison, b: string | number | boolean): boolean {
  if (op === "<") return a < b
  if (op === "<=") return a <= b
  return op === ">" ? a > b : a >= b
}

function checkType(op: Comparison, value: FilterValue, column: Column, at: number): void {
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

function unknownColumn(name: string, at: number, columns: Map<string, Column>): Fault {
  const names = [...columns.keys()]
  const listed = names.slice(0, 50).join(", ") + (names.length > 50 ? `, and ${names.length - 50} more` : "")
  return new Fault(
    "invalid",
    "unknown-column",
    `the filter is wrong at ${at}: there is no column '${name.slice(0, 100)}'; ` +
      (names.length > 0 ? `there are: ${listed}` : "this cohort has no metadata: add some and publish"),
  )
}
