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

/** Rows of several codes that are worth sorting: looking at all codes takes no longer from about here on. */
const mostSorted = 256

/**
 * The rows whose code lies in one of the runs, ascending, if that can be told without looking at all codes: those of
 * a single code, or a few. Not to be changed. A column's first test sorts its rows by code, which takes
 * 0.4 to 3 ms and 400 kB for a hundred thousand.
 */
export function postingsIn(
  { codes, values }: Column,
  runs: readonly Run[],
): Uint32Array<ArrayBuffer> | undefined {
  const { starts, rows } = postingsOf(codes, values.length + 1)
  const there = runs.filter(([from, to]) => starts[from] < starts[to])
  if (there.length === 0) return new Uint32Array()
  const [[from, to]] = there
  if (there.length === 1 && to === from + 1) return rows.subarray(starts[from], starts[to])
  const count = there.reduce((sum, [from, to]) => sum + starts[to] - starts[from], 0)
  if (count > mostSorted) return undefined
  return joined(there.map(([from, to]) => rows.subarray(starts[from], starts[to]))).sort()
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
