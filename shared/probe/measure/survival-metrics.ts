import { uncensored } from "../head/hazard.ts"
import { type Steps, valueAt, valueBefore } from "../math/steps.ts"
import { medianTime } from "../study/survival-times.ts"
import type { Weighted } from "./bootstrap.ts"
import { concordance } from "./concordance.ts"
import { auroc, mean, ranked } from "./metrics.ts"

/** What happened to each row: its time, and whether that is the event's (1) or where it was lost from sight (0). */
export interface Outcomes {
  time: Float64Array
  event: Uint8Array
}

/**
 * Metrics of a risk per row and a probability of survival per row at each time of the grid, [rows, grid], ascending.
 * `c-index` is Harrell's; `integrated-brier` and `auroc-at` weigh rows by the inverse probability of having been
 * censored. That probability is estimated once, on all rows, and held when the bootstrap draws them again.
 */
export function survivalMetrics(
  outcomes: Outcomes,
  risk: Float64Array,
  survival: Float64Array,
  grid: Float64Array,
): Record<string, Weighted> {
  const { time, event } = outcomes
  const seen = uncensored(time, event)
  const brier = integratedBrier(outcomes, survival, grid, seen)
  return {
    "c-index": concordance(time, event, risk),
    "integrated-brier": (weight) => mean(brier, weight),
    "auroc-at": aurocAt(outcomes, risk, medianTime(time, event), seen),
  }
}

/**
 * What each row adds to the integrated Brier score (Graf et al. 1999), which is their mean: the squared error of its
 * survival curve, weighed by the inverse of the share `seen` uncensored just before its event, or at the time in
 * question for those still alive, averaged over the range of the grid by the trapezoidal rule. The grid
 * ends where that share is still above 0.
 */
export function integratedBrier(
  { time, event }: Outcomes,
  survival: Float64Array,
  grid: Float64Array,
  seen: Steps,
): Float64Array {
  const width = grid.length
  const range = grid[width - 1] - grid[0]
  const part = grid.map((t, k) =>
    range > 0 ? ((grid[k + 1] ?? t) - (grid[k - 1] ?? t)) / 2 / range : 1 / width,
  )
  const perAlive = grid.map((t) => 1 / valueAt(seen, t))
  return time.map((end, row) => {
    const perEvent = event[row] ? 1 / valueBefore(seen, end) : 0
    let sum = 0
    for (let k = 0; k < width; k++) {
      const s = survival[row * width + k]
      sum += part[k] * (end > grid[k] ? perAlive[k] * (1 - s) ** 2 : perEvent * s ** 2)
    }
    return sum
  })
}

/**
 * Cumulative/dynamic AUROC at a time (Uno et al. 2007): how well the risk tells those who had the event up to then,
 * each weighed by the inverse of the share `seen` uncensored just before, from those who outlived it. Rows censored
 * before tell nothing of it and weigh nothing. NaN where either kind is missing.
 */
export function aurocAt({ time, event }: Outcomes, risk: Float64Array, at: number, seen: Steps): Weighted {
  const question = ranked(
    Uint8Array.from(time, (t, row) => (t <= at ? event[row] : 0)),
    risk,
  )
  const inverse = time.map((t, row) => (t > at ? 1 : event[row] ? 1 / valueBefore(seen, t) : 0))
  return (weight) => auroc(question, weight ? inverse.map((w, row) => w * weight[row]) : inverse)
}
