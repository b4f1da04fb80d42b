import { applyLinear, type LinearHead, survivalAt } from "./linear.ts"
import { type Problem, rowOf } from "./problem.ts"

/** What turns a row of numbers into an answer. Plain data: it can be kept in a file and sent to a thread. */
export type Head = LinearHead

/**
 * The head's answer for one row of numbers: [probability of the second class], [of each class], [value], or [risk]:
 * the log of the hazard's ratio to that of the mean training row.
 */
export function applyHead(head: Head, x: Float32Array): Float64Array {
  return applyLinear(head, x)
}

/**
 * What is judged of a row, [outputs] of the problem: the answer; of survival the risk, then the probability of survival
 * at each time of the grid. A risk is relative to the mean of the head's own training rows, which folds, dealt by
 * stratum, have nearly in common.
 */
export function judged(problem: Problem, head: Head, row: number): Float64Array {
  const output = applyHead(head, rowOf(problem, row))
  if (problem.kind !== "cox" || head.kind !== "cox") return output
  const [risk] = output
  return Float64Array.of(risk, ...problem.grid.map((time) => survivalAt(head.logHazard, risk, time)))
}
