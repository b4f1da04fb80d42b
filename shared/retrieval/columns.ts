import * as z from "zod"
import type { Scalars } from "#shared/cohort/members.ts"

export type ColumnType = "number" | "string" | "boolean" | "date" | "null"
export type ColumnValue = string | number | boolean | null

/** One value per row of a snapshot; null where absent. Dates are text, yyyy-mm-dd. */
export interface Column {
  name: string
  /** `null` when no row has a value. */
  type: ColumnType
  /** The column held values of several types, and all of them became strings. */
  mixed: boolean
  values: ColumnValue[]
}

/** Members' metadata turned into typed columns, sorted by name. */
export function buildColumns(rows: readonly Scalars[]): Column[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].sort()
  return names.map((name) => {
    const values = rows.map((row) => row[name] ?? null)
    const types = new Set(values.flatMap((value) => (value === null ? [] : [typeof value])))
    if (types.size > 1) {
      return { name, type: "string", mixed: true, values: values.map((v) => (v === null ? null : String(v))) }
    }
    return { name, type: typeOf(values, types.values().next().value), mixed: false, values }
  })
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
    columns.flatMap(({ name, values }) => (values[row] === null ? [] : [[name, values[row]]])),
  )
}

const javascriptType = {
  number: "number",
  string: "string",
  boolean: "boolean",
  date: "string",
  null: "object",
}

/** Columns as they are stored: an array, each of `count` values of its type. */
export const Columns = z.array(
  z
    .object({
      name: z.string(),
      type: z.enum(["number", "string", "boolean", "date", "null"]),
      mixed: z.boolean(),
      // By hand: a schema per value would take seconds for a hundred thousand rows.
      values: z.custom<ColumnValue[]>(Array.isArray),
    })
    .refine(({ type, values }) => values.every((v) => v === null || typeof v === javascriptType[type])),
)
