import { blockRows, type Marks, openMarks, type Run } from "#shared/kernel/marks.ts"
import type { Column } from "./columns.ts"
import type { Filter } from "./filter.ts"
import { unknownColumn } from "./filter-check.ts"
import { passingRuns } from "./filter-runs.ts"
import { joined, postingsIn } from "./postings.ts"

/** Fewer rows are marked at once sooner than sorted by their codes. */
const fewest = 4096
/** Of so many rows one may be left, for it to pay to look at what is left row by row. */
const mostLeft = 128

/**
 * The rows that pass, ascending; not to be changed. A filter that does not fit the columns is refused, whatever the
 * rows hold. A hundred thousand rows take some 10 µs for each comparison, and 1 ns for each that passes; next to
 * nothing where a column knows the rows of the value that is asked for.
 * @throws Fault `invalid`: `unknown-column`, `bad-filter` for a value of another type than its column
 */
export function select(filter: Filter, columns: readonly Column[]): Uint32Array<ArrayBuffer> {
  const bound = bind(filter, columns, false)
  const count = columns[0].codes.length
  return (count < fewest ? undefined : listed(bound, count)) ?? marked(bound, count)
}

/** Without looking at every row, if its columns list the rows of the test, or of one of several, well enough. */
function listed(bound: Bound, count: number): Uint32Array<ArrayBuffer> | undefined {
  if (bound.kind === "test") return postingsIn(bound.column, bound.runs)
  if (bound.kind === "or") return undefined
  for (const part of bound.of) {
    const rows = part.kind === "test" ? postingsIn(part.column, part.runs) : undefined
    if (rows && rows.length * mostLeft <= count) return rows.filter((row) => passes(bound, row))
  }
  return undefined
}

function passes(bound: Bound, row: number): boolean {
  if (bound.kind === "or") return bound.of.some((part) => passes(part, row))
  if (bound.kind === "and") return bound.of.every((part) => passes(part, row))
  const code = bound.column.codes[row]
  return bound.runs.some(([from, to]) => from <= code && code < to)
}

function marked(bound: Bound, count: number): Uint32Array<ArrayBuffer> {
  marks ??= openMarks()
  const found: Uint32Array[] = []
  for (let first = 0; first < count; first += blockRows) {
    const end = Math.min(count, first + blockRows)
    evaluate(bound, { marks, first, end }, 0)
    found.push(marks.rows(0, first, end - first).slice())
  }
  return joined(found)
}

/** Nobody else's between two turns of the event loop. */
let marks: Marks | undefined

/** A filter without negations, on the codes of its columns. */
type Bound =
  | { kind: "or"; of: Bound[] }
  | { kind: "and"; of: Bound[] }
  | { kind: "test"; column: Column; runs: Run[] }

function bind(filter: Filter, columns: readonly Column[], negate: boolean): Bound {
  if (filter.kind === "not") return bind(filter.of, columns, !negate)
  if (filter.kind === "and" || filter.kind === "or") {
    const kind = (filter.kind === "and") === negate ? "or" : "and"
    return { kind, of: filter.of.map((part) => bind(part, columns, negate)) }
  }
  const column = columns.find(({ name }) => name === filter.column)
  if (!column) throw unknownColumn(filter.column, filter.at, columns)
  return { kind: "test", column, runs: passingRuns(filter, column, negate) }
}

/** Rows from `first` up to before `end`. */
interface Block {
  marks: Marks
  first: number
  end: number
}

/** Marks the rows of a block that pass, in this slot; those after it may be used. */
function evaluate(bound: Bound, block: Block, slot: number): void {
  const { marks, first, end } = block
  if (bound.kind === "test") {
    marks.mark(slot, bound.column.codes.subarray(first, end), bound.runs)
    return
  }
  evaluate(bound.of[0], block, slot)
  for (const part of bound.of.slice(1)) {
    evaluate(part, block, slot + 1)
    marks[bound.kind](slot, slot + 1)
  }
}
