import type { CodeArray, Run } from "#shared/kernel/marks.ts"
import type { Column } from "./columns.ts"
import { joined } from "./row-lists.ts"

/** The rows of each code of a column. */
interface Postings {
  /** [distinct values + 2]: where each code's rows begin in `rows`, and where the last one's end. */
  starts: Uint32Array<ArrayBuffer>
  /** [rows]: those of code 0, ascending, then those of code 1, and so on; made when they are first asked for. */
  rows?: Uint32Array<ArrayBuffer>
}

const kept = new WeakMap<CodeArray, Postings>()

/** Rows of a column, found without looking at all of its codes. */
export interface Listed {
  count: number
  /** Ascending where they have one code; else each code's one after the other. Not to be changed. */
  rows(): Uint32Array<ArrayBuffer>
  ascending: boolean
}

/**
 * The rows whose code lies in one of the runs. A column's codes are counted when it is first asked, and its rows sorted
 * by code when the first of them are: 0.4 to 3 ms and 400 kB for a hundred thousand.
 */
export function listRows({ codes, values }: Column, runs: readonly Run[]): Listed {
  const postings: Postings = kept.get(codes) ?? { starts: startsOf(codes, values.length + 1) }
  kept.set(codes, postings)
  const { starts } = postings
  const there = runs.filter(([from, to]) => starts[from] < starts[to])
  return {
    count: there.reduce((sum, [from, to]) => sum + starts[to] - starts[from], 0),
    rows() {
      postings.rows ??= byCode(codes, starts)
      const { rows } = postings
      const lists = there.map(([from, to]) => rows.subarray(starts[from], starts[to]))
      return lists.length === 1 ? lists[0] : joined(lists)
    },
    ascending: there.length === 0 || (there.length === 1 && there[0][1] === there[0][0] + 1),
  }
}

function startsOf(codes: CodeArray, count: number): Uint32Array<ArrayBuffer> {
  const starts = new Uint32Array(count + 1)
  for (let row = 0; row < codes.length; row++) starts[codes[row] + 1]++
  for (let code = 0; code < count; code++) starts[code + 1] += starts[code]
  return starts
}

function byCode(codes: CodeArray, starts: Uint32Array): Uint32Array<ArrayBuffer> {
  const ends = starts.slice()
  const rows = new Uint32Array(codes.length)
  for (let row = 0; row < codes.length; row++) rows[ends[codes[row]]++] = row
  return rows
}
