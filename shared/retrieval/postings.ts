import type { CodeArray, Run } from "#shared/kernel/marks.ts"
import type { Column } from "./columns.ts"

/** The rows of each code of a column. */
interface Postings {
  /** [distinct values + 2]: where each code's rows begin in `rows`, and where the last one's end. */
  starts: Uint32Array<ArrayBuffer>
  /** [rows]: those of code 0, ascending, then those of code 1, and so on. */
  rows: Uint32Array<ArrayBuffer>
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
 * The rows whose code lies in one of the runs. A column's first list sorts its rows by code, which takes 0.4 to 3 ms
 * and 400 kB for a hundred thousand.
 */
export function listRows({ codes, values }: Column, runs: readonly Run[]): Listed {
  const { starts, rows } = postingsOf(codes, values.length + 1)
  const there = runs.filter(([from, to]) => starts[from] < starts[to])
  const lists = () => there.map(([from, to]) => rows.subarray(starts[from], starts[to]))
  return {
    count: there.reduce((sum, [from, to]) => sum + starts[to] - starts[from], 0),
    rows: () => (there.length === 1 ? lists()[0] : joined(lists())),
    ascending: there.length === 0 || (there.length === 1 && there[0][1] === there[0][0] + 1),
  }
}

function postingsOf(codes: CodeArray, count: number): Postings {
  const there = kept.get(codes)
  if (there) return there
  const starts = new Uint32Array(count + 1)
  for (let row = 0; row < codes.length; row++) starts[codes[row] + 1]++
  for (let code = 0; code < count; code++) starts[code + 1] += starts[code]
  const ends = starts.slice()
  const rows = new Uint32Array(codes.length)
  for (let row = 0; row < codes.length; row++) rows[ends[codes[row]]++] = row
  const made = { starts, rows }
  kept.set(codes, made)
  return made
}

/** Lists one after the other. */
export function joined(parts: readonly Uint32Array[]): Uint32Array<ArrayBuffer> {
  const all = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
