import { Fault } from "#shared/errors.ts"
import type { Note } from "../volume.ts"
import { largest, smallest } from "./vectors.ts"

/** A grid of slices `step` mm apart, the first at 0. `asIs` when the slices lie on it already. */
export interface EvenGrid {
  step: number
  count: number
  asIs: boolean
  notes: Note[]
}

/** Slices this part of a step off an even grid count as on it: headers round positions. */
const slack = 0.1
/** Uneven slices are resampled up to this ratio of the widest to the narrowest gap (1.25 mm, then 5 mm). */
const widestRatio = 4

/**
 * Finds the even grid for slices at `along` (mm, ascending from 0). The rules, in order:
 * 1. Within a tenth of a step of an even grid: taken as they are.
 * 2. A gap wider than 1.5 times the median whose neighbours are not alike is a hole. One absent slice per hole, and
 *    5 % of the slices (or one) in all, are interpolated linearly between their neighbours; more is refused.
 * 3. Other unevenness (a series that changes its spacing) is resampled linearly onto its narrowest gap, unless the
 *    widest is more than four times as wide: then it is refused. A remainder at the far end is left out.
 * @throws Fault `missing-slices`, `uneven-spacing`
 */
export function evenGrid(along: number[]): EvenGrid {
  const n = along.length
  const total = along[n - 1]
  const mean = total / (n - 1)
  if (along.every((mm, i) => Math.abs(mm - i * mean) <= slack * mean))
    return { step: mean, count: n, asIs: true, notes: [] }

  const gaps = along.slice(1).map((mm, i) => mm - along[i])
  const typical = [...gaps].sort((a, b) => a - b)[(gaps.length - 1) >> 1]
  const like = (a: number, b: number | undefined) => b !== undefined && Math.abs(a - b) <= slack * typical
  const isHole = gaps.map((g, i) => g > 1.5 * typical && !like(g, gaps[i - 1]) && !like(g, gaps[i + 1]))
  const notes = holes(
    gaps.filter((_, i) => isHole[i]),
    typical,
    n,
  )
  const rest = gaps.filter((_, i) => !isHole[i])
  const [narrowest, widest] = [smallest(rest), largest(rest)]
  const uneven = widest - narrowest > 2 * slack * typical
  if (widest > widestRatio * narrowest) {
    const message = `slices lie ${mm(narrowest)} to ${mm(widest)} apart: too uneven for one volume, export the parts as separate series`
    throw new Fault("invalid", "uneven-spacing", message)
  }
  const wanted = uneven ? narrowest : rest.reduce((sum, gap) => sum + gap, 0) / rest.length
  const steps = total / wanted
  const fits = Math.abs(steps - Math.round(steps)) <= slack
  const count = (fits ? Math.round(steps) : Math.floor(steps)) + 1
  const step = fits ? total / (count - 1) : wanted
  if (uneven) {
    const message = `slices lie ${mm(narrowest)} to ${mm(widest)} apart: resampled linearly to ${mm(step)}`
    notes.push({ code: "uneven-spacing", message })
  }
  return { step, count, asIs: false, notes }
}

function holes(wide: number[], typical: number, n: number): Note[] {
  if (wide.length === 0) return []
  const missing = wide.map((gap) => Math.max(1, Math.round(gap / typical) - 1))
  const all = missing.reduce((sum, count) => sum + count, 0)
  const slices = all === 1 ? "1 slice is missing" : `${all} slices are missing`
  if (largest(missing) > 1 || all > Math.max(1, 0.05 * (n + all))) {
    const message = `${slices} (slices lie ${mm(typical)} apart, with gaps of up to ${mm(largest(wide))}): send the whole series`
    throw new Fault("invalid", "missing-slices", message)
  }
  return [{ code: "missing-slices", message: `${slices}: interpolated linearly between neighbours` }]
}

function mm(value: number): string {
  return `${Number(value.toFixed(3))} mm`
}
