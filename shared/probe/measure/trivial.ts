import { kaplanMeier } from "../head/hazard.ts"
import type { Problem } from "../head/problem.ts"
import { valueAt } from "../math/steps.ts"

/**
 * The share of each class, the mean, or no risk and the Kaplan-Meier curve, over all rows: one prediction for
 * everybody, so that ranks tie. [rows, outputs]. It has seen the rows it is judged on, which flatters it a little.
 */
export function trivial(problem: Problem): Float64Array {
  const { kind, target, outputs: width } = problem
  const constant = new Float64Array(width)
  if (problem.kind === "cox") {
    const alive = kaplanMeier(target, problem.event)
    for (const [k, time] of problem.grid.entries()) constant[1 + k] = valueAt(alive, time)
  } else {
    for (const t of target)
      constant[kind === "softmax" ? t : 0] += (kind === "softmax" ? 1 : t) / target.length
  }
  return Float64Array.from({ length: target.length * width }, (_, i) => constant[i % width])
}
