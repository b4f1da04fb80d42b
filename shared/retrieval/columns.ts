import type { Scalars } from "#shared/cohort/members.ts"
import type { CodeArray } from "#shared/kernel/marks.ts"

export type ColumnType = "number" | "string" | "boolean" | "date" | "null"
export type ColumnValue = string | number | boolean | null

/**
 * One value per row of a snapshot, or none. Held as a dictionary and codes, so that a filter compares each distinct
 * value once, whatever its type, and a row takes one to four bytes.
 */
export interface Column {
  name: string
  /** `null` when no row has a value. Dates are text, yyyy-mm-dd. */
  type: ColumnType
  /** The column held values of several types, and all of them became strings. */
  mixed: boolean
  /** The distinct values, as `<` orders them. */
  values: ArrayLike<string | number | boolean>
  /** [rows]: 0 where there is no value, else one more than the value's place in `values`. */
  codes: CodeArray
}

/** Members' metadata turned into typed columns, sorted by name. */
export function buildColumns(rows: readonly Scalars[]): Column[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].sort()
  return names.map((name) => {
    const values = rows.map((row) => row[name] ?? null)
    const types = new Set(values.flatMap((value) => (value === null ? [] : [typeof value])))
    if (types.size > 1) {
      const texts = values.map((value) => (value === null ? null : String(value)))
      return columnOf({ name, type: "string", mixed: true }, texts)
    }
    return columnOf({ name, type: typeOf(values, types.values().next().value), mixed: false }, values)
  })
}

/** A column of these values, one per row, each null or of the column's type. */
export function columnOf(
  about: Pick<Column, "name" | "type" | "mixed">,
  rows: readonly ColumnValue[],
): Column {
  const distinct = [...new Set(rows)].filter((value) => value !== null)
  distinct.sort((a, b) => (a < b ? -1 : 1))
  const codeOf = new Map<ColumnValue, number>(distinct.map((value, i) => [value, i + 1]))
  const codes = new (codesFor(distinct.length))(rows.length)
  for (const [row, value] of rows.entries()) codes[row] = codeOf.get(value) ?? 0
  return { ...about, values: distinct, codes }
}

/** The narrowest codes that can tell so many values, and none, apart. */
export function codesFor(distinct: number) {
  if (distinct < 2 ** 8) return Uint8Array
  return distinct < 2 ** 16 ? Uint16Array : Uint32Array
}

function typeOf(values: ColumnValue[], type: string | undefined): ColumnType {
  if (type === undefined) return "null"
  if (type !== "string") return type === "number" ? "number" : "boolean"
  return values.every((value) => value === null || isDate(String(value))) ? "date" : "string"
}

/** A calendar day as ISO 8601 writes it: 2024-02-29, not 2023-02-29. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const day = new Date(`${text}T00:00:00Z`)
  return Number.isFinite(day.getTime()) && day.toISOString().startsWith(text)
}

/** What row `row` holds, without its absent values. */
export function valuesOf(columns: readonly Column[], row: number): Record<string, ColumnValue> {
  return Object.fromEntries(
    columns.flatMap(({ name, values, codes }) => (codes[row] === 0 ? [] : [[name, values[codes[row] - 1]]])),
  )
}
