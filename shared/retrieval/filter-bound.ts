import type { Run } from "#shared/kernel/marks.ts"
import type { Column } from "./columns.ts"
import type { Filter } from "./filter.ts"
import { unknownColumn } from "./filter-check.ts"
import { passingRuns } from "./filter-runs.ts"

/** A filter without negations, on the codes of its columns. */
export type Bound =
  | { kind: "or"; of: Bound[] }
  | { kind: "and"; of: Bound[] }
  | { kind: "test"; column: Column; runs: Run[] }

/**
 * A filter, or with `negate` its opposite, on these columns: names become columns, values runs of codes, and negations
 * go down to the comparisons.
 * @throws Fault `unknown-column`, `bad-filter`
 */
export function bind(filter: Filter, columns: readonly Column[], negate = false): Bound {
  if (filter.kind === "not") return bind(filter.of, columns, !negate)
  if (filter.kind === "and" || filter.kind === "or") {
    const kind = (filter.kind === "and") === negate ? "or" : "and"
    return { kind, of: filter.of.map((part) => bind(part, columns, negate)) }
  }
  const column = columns.find(({ name }) => name === filter.column)
  if (!column) throw unknownColumn(filter.column, filter.at, columns)
  return { kind: "test", column, runs: passingRuns(filter, column, negate) }
}
