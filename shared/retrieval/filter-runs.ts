import type { Run } from "#shared/kernel/marks.ts"
import type { Column } from "./columns.ts"
import type { Filter, FilterValue } from "./filter.ts"
import { checkType } from "./filter-check.ts"

/** One comparison of a column. */
export type Test = Extract<Filter, { at: number }>

/** The codes that pass a test, or with `negate` those that do not: runs, ascending. @throws Fault `bad-filter` */
export function passingRuns(test: Test, column: Column, negate: boolean): Run[] {
  const runs = runsOf(test, column)
  return negate !== (test.kind === "compare" && test.op === "!=") ? others(runs, column) : runs
}

/** Of `!=` those of `=`. */
function runsOf(test: Test, column: Column): Run[] {
  const { values } = column
  const end = values.length + 1
  if (test.kind === "exists") return [[1, end]]
  if (test.kind === "in") {
    for (const value of test.values) checkType("=", value, column, test.at)
    const found = new Set(test.values.flatMap((value) => equal(value, column)))
    return [...found].sort((a, b) => a - b).map((code) => [code, code + 1])
  }
  const { op, value } = test
  checkType(op, value, column, test.at)
  if (op === "=" || op === "!=") return equal(value, column).map((code) => [code, code + 1])
  if (op === "<") return [[1, 1 + below(value, values)]]
  if (op === ">=") return [[1 + below(value, values), end]]
  const upTo = 1 + below(value, values) + equal(value, column).length
  return op === "<=" ? [[1, upTo]] : [[upTo, end]]
}

/** The code of a value, if any row has it. */
function equal(value: FilterValue, { values }: Column): number[] {
  if (value === null) return [0]
  const place = below(value, values)
  return values[place] === value ? [place + 1] : []
}

/** How many of the distinct values, ascending, are below this one. */
function below(value: FilterValue, values: Column["values"]): number {
  let [low, high] = [0, values.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (values[middle] < value!) low = middle + 1
    else high = middle
  }
  return low
}

function others(runs: readonly Run[], { values }: Column): Run[] {
  const edges = [0, ...runs.flat(), values.length + 1]
  return Array.from({ length: edges.length / 2 }, (_, i) => [edges[2 * i], edges[2 * i + 1]])
}
