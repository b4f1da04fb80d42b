import type { Nearest } from "../math/nearest.ts"
import { valueAt } from "../math/steps.ts"
import type { Problem } from "./problem.ts"
import { lostShare, weightedKaplanMeier } from "./weighted-survival.ts"

/** What is known of each training row: a class number, a value, or a time and whether it is that of the event (1). */
export type Known =
  | { of: "class"; target: Float64Array; classes: number }
  | { of: "value"; target: Float64Array }
  | {
      of: "time"
      target: Float64Array
      event: Uint8Array
      /** The last time that risks look at. */
      horizon: number
    }

export function knownOf(problem: Problem, rows: Uint32Array): Known {
  const target = Float64Array.from(rows, (row) => problem.target[row])
  if (problem.kind === "cox") {
    const event = Uint8Array.from(rows, (row) => problem.event[row])
    return { of: "time", target, event, horizon: problem.grid[problem.grid.length - 1] }
  }
  if (problem.kind === "ridge") return { of: "value", target }
  return { of: "class", target, classes: Math.max(problem.outputs, 2) }
}

/**
 * The weight of each neighbor, 1 / distance. Where some lie at distance 0, they weigh 1 and all others nothing, which is
 * the limit of it, and what scikit-learn does.
 */
export function weightsOf({ distances }: Nearest): Float64Array {
  // Nearest first, so that the first tells whether any is at 0.
  return distances[0] === 0 ? distances.map((d) => (d === 0 ? 1 : 0)) : distances.map((d) => 1 / d)
}

/**
 * What neighbors say, as a head's answer: the weighted share of the second class, or of each; the weighted mean; or
 * the risk: the share of the time up to the horizon that is lost to the event, by the area over their survival curve.
 */
export function answerOf(known: Known, near: Nearest): Float64Array {
  const weights = weightsOf(near)
  if (known.of === "time") return Float64Array.of(lostShare(survivalOf(known, near), known.horizon))
  const sums = new Float64Array(known.of === "class" ? known.classes : 1)
  let total = 0
  for (const [i, row] of near.rows.entries()) {
    total += weights[i]
    if (known.of === "class") sums[known.target[row]] += weights[i]
    else sums[0] += weights[i] * known.target[row]
  }
  const shares = sums.map((sum) => sum / total)
  return shares.length === 2 ? shares.subarray(1) : shares
}

/** The probability of no event up to and at a time, by the neighbors' weighted Kaplan-Meier estimate. */
export function survivalOf(known: Known & { of: "time" }, near: Nearest) {
  const at = near.rows
  return weightedKaplanMeier(
    Float64Array.from(at, (row) => known.target[row]),
    Uint8Array.from(at, (row) => known.event[row]),
    weightsOf(near),
  )
}

/** What is judged of a row with these neighbors, as `judged` has it: the answer, then survival at the problem's times. */
export function judgedBy(problem: Problem, known: Known, near: Nearest): Float64Array {
  if (problem.kind !== "cox" || known.of !== "time") return answerOf(known, near)
  const alive = survivalOf(known, near)
  return Float64Array.of(lostShare(alive, known.horizon), ...problem.grid.map((time) => valueAt(alive, time)))
}
