import type { Member } from "#shared/cohort/members.ts"
import type { Receipt } from "#shared/features/features.ts"
import type { Table } from "../head/design.ts"
import { columnOf } from "./labels.ts"

/** How a series' volume came about, of all that its receipt tells. */
export type Acquired = Pick<Receipt["volume"], "format" | "files" | "orientation" | "shape" | "spacing">

export function acquired({ volume }: Receipt): Acquired {
  const { format, files, orientation, shape, spacing } = volume
  return { format, files, orientation, shape, spacing }
}

/** Metadata whose name holds one of these words is of the scanner, or of who runs it. */
const scannerWords = /manufacturer|model|kernel|site|scanner|institution|protocol/i
/** Of a column's values the most frequent get a number of their own: the rest could not be learned. */
const mostValues = 20

/** What is known of a row under a name; undefined where nothing is. */
type Column = [name: string, values: (string | number | undefined)[]]

/** Numbers that tell how each row was acquired and nothing of what the scan shows. */
export interface Acquisition {
  table: Table
  /** What they are made of: `spacing`, …, and scanner columns. */
  from: string[]
}

/**
 * Grid, extent in mm, orientation, format and files of each series, and the scanner columns of its metadata, but those
 * in `learned`. Numbers go in as they are, and each value that at least two series share as a column of 0 and 1, too:
 * a slice thickness of 3 may stand for one class between 1 and 5. Undefined where all series are alike.
 */
export function acquisitionOf(
  rows: Acquired[],
  members: Member[],
  learned: string[],
): Acquisition | undefined {
  const columns = [...ofVolumes(rows), ...ofScanners(members, learned)]
  const numbers: Float64Array[] = []
  const from = new Set<string>()
  for (const [name, values] of columns) {
    const made = [...asNumbers(values), ...asCategories(values)]
    if (made.length > 0) from.add(name)
    numbers.push(...made)
  }
  if (numbers.length === 0) return undefined
  const values = new Float32Array(rows.length * numbers.length)
  for (let row = 0; row < rows.length; row++) {
    for (const [c, column] of numbers.entries()) values[row * numbers.length + c] = column[row]
  }
  return { table: { values, rows: rows.length, columns: numbers.length }, from: [...from] }
}

function ofVolumes(rows: Acquired[]): Column[] {
  return [
    ...[0, 1, 2].flatMap((axis): Column[] => [
      ["shape", rows.map(({ shape }) => shape[axis])],
      ["spacing", rows.map(({ spacing }) => spacing[axis])],
      ["extent", rows.map(({ shape, spacing }) => shape[axis] * spacing[axis])],
    ]),
    ["files", rows.map(({ files }) => files)],
    ["format", rows.map(({ format }) => format)],
    ["orientation", rows.map(({ orientation }) => orientation)],
  ]
}

function ofScanners(members: Member[], learned: string[]): Column[] {
  const names = new Set(members.flatMap(({ metadata }) => Object.keys(metadata)))
  return [...names]
    .filter((name) => scannerWords.test(name) && !learned.includes(name))
    .sort()
    .map((name) => [name, members.map((member) => asText(columnOf(member, name)))])
}

function asText(value: string | number | boolean | undefined): string | undefined {
  return value === undefined ? undefined : String(value)
}

/** The column itself, if it is one of numbers that differ. */
function asNumbers(values: Column[1]): Float64Array[] {
  const numbers = values.filter((value) => typeof value === "number")
  if (numbers.length < values.length || numbers.every((value) => value === numbers[0])) return []
  return [Float64Array.from(numbers)]
}

/** For each value that several rows share, but not all, 1 where it is. */
function asCategories(values: Column[1]): Float64Array[] {
  const count = new Map<string | number, number>()
  for (const value of values) if (value !== undefined) count.set(value, (count.get(value) ?? 0) + 1)
  return [...count]
    .filter(([, n]) => n > 1 && n < values.length)
    .sort(([, a], [, b]) => b - a)
    .slice(0, mostValues)
    .map(([of]) => Float64Array.from(values, (value) => Number(value === of)))
}
