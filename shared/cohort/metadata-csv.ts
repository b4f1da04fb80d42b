import { CsvError, parse } from "csv-parse/sync"
import { Fault } from "#shared/errors.ts"
import { ColumnName, type Scalar, type Scalars } from "./members.ts"

/** The rows of a metadata file by `series` or by `source`; which of them matched nothing is the caller's to say. */
export interface MetadataCsv {
  key: "series" | "source"
  /** In the file's order. */
  rows: Map<string, Scalars>
}

interface Row {
  record: string[]
  /** Line of the file on which the record ends, from 1. */
  line: number
}

/**
 * Reads metadata from CSV with a header. Rows are keyed by the column `series`, or else `source`; neither becomes
 * metadata. Numbers and true/false are typed, an empty cell is null, everything else (dates too) stays text.
 * @throws Fault `invalid` / `bad-metadata-csv` with the line
 */
export function readMetadataCsv(text: string): MetadataCsv {
  const [header, ...body] = readRows(text)
  if (!header) throw bad("is empty: give it a header line with a column 'series' or 'source'")
  const names = header.record.map((name) => name.trim())
  checkHeader(names, header.line)
  const key = names.includes("series") ? "series" : "source"
  const keyAt = names.indexOf(key)

  const rows = new Map<string, Scalars>()
  const seen = new Map<string, number>()
  for (const { record, line } of body) {
    if (record.length !== names.length) {
      throw bad(`line ${line} has ${record.length} cells where the header has ${names.length}: fix the line`)
    }
    const name = record[keyAt].trim()
    if (name === "") throw bad(`line ${line} has no '${key}': fill it in or remove the line`)
    if (seen.has(name)) {
      throw bad(`lines ${seen.get(name)} and ${line} have the same '${key}': keep one of them`)
    }
    seen.set(name, line)
    const cells = names.map((column, i) => [column, typed(record[i])] as const)
    rows.set(name, Object.fromEntries(cells.filter(([column]) => column !== "series" && column !== "source")))
  }
  return { key, rows }
}

function readRows(text: string): Row[] {
  try {
    const records = parse(text, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as { record: string[]; info: { lines: number } }[]
    return records.map(({ record, info }) => ({ record, line: info.lines }))
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    // Only the code and the line: the library's message quotes the cell, which may be a patient's.
    throw bad(`cannot be parsed at line ${cause.lines}: ${cause.code}; check its quotes`, cause)
  }
}

function checkHeader(names: string[], line: number): void {
  for (const [i, name] of names.entries()) {
    if (!ColumnName.safeParse(name).success) {
      throw bad(`line ${line}: column ${i + 1} has no usable name: give it one of 1 to 100 characters`)
    }
    if (names.indexOf(name) !== i) throw bad(`line ${line} names the column '${name}' twice: rename one`)
  }
  if (!names.includes("series") && !names.includes("source")) {
    throw bad(`line ${line} has no column 'series' or 'source': add the one that names each row's scan`)
  }
}

/** A number as JSON writes it. `007` and what a double cannot hold are names, not numbers. */
const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

function typed(cell: string): Scalar {
  const text = cell.trim()
  if (text === "") return null
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === "true"
  const value = Number(text)
  const exact = Number.isFinite(value) && (/[.eE]/.test(text) || Number.isSafeInteger(value))
  return number.test(text) && exact ? value : text
}

function bad(what: string, cause?: unknown): Fault {
  return new Fault("invalid", "bad-metadata-csv", `the metadata CSV ${what}`, { cause })
}
