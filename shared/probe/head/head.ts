import type { Calibration } from "./calibration.ts"
import { answerOf, judgedBy } from "./known.ts"
import { applyLinear, type LinearHead, survivalAt } from "./linear.ts"
import { type NeighborHead, neighborsOf, neighborsOfEach } from "./neighbors.ts"
import { type Problem, rowOf } from "./problem.ts"

/** What turns a row of numbers into an answer. Plain data: it can be kept in a file and sent to a thread. */
export type Head = LinearHead | NeighborHead

/**
 * The head's answer for one row of numbers: [probability of the second class], [of each class], [value], or [risk]:
 * the log of the hazard's ratio to that of the mean training row, or of neighbors the share of the time that is lost.
 * @param self the series that the row is of: neighbors leave it out
 */
export function applyHead(head: Head, x: Float32Array, self?: string): Float64Array {
  return head.kind === "knn" ? answerOf(head.known, neighborsOf(head, x, self)) : applyLinear(head, x)
}

/**
 * What is judged of a row, [outputs] of the problem: the answer; of survival the risk, then the probability of survival
 * at each time of the grid. A Cox head's risk is relative to the mean of its own training rows, which folds, dealt by
 * stratum, have nearly in common.
 */
export function judged(problem: Problem, head: Head, row: number): Float64Array {
  if (head.kind === "knn") return judgedOfEach(problem, head, Uint32Array.of(row))
  const output = applyHead(head, rowOf(problem, row))
  if (problem.kind !== "cox" || head.kind !== "cox") return output
  const [risk] = output
  return Float64Array.of(risk, ...problem.grid.map((time) => survivalAt(head.logHazard, risk, time)))
}

/** Linear heads of classes have one, if they could be calibrated. */
export function calibrationOf(head: Head): Calibration | undefined {
  return head.kind === "knn" || head.kind === "cox" ? undefined : head.calibration
}

/** The head as its weights are. */
export function uncalibrated(head: Head): Head {
  return head.kind === "knn" || head.kind === "cox" ? head : { ...head, calibration: undefined }
}

/** `judged` of each of the rows, [rows, outputs]. */
export function judgedOfEach(problem: Problem, head: Head, rows: Uint32Array): Float64Array {
  const outputs = new Float64Array(rows.length * problem.outputs)
  const near = head.kind === "knn" ? neighborsOfEach(head, problem.table, rows) : []
  for (const [i, row] of rows.entries()) {
    const one = head.kind === "knn" ? judgedBy(problem, head.known, near[i]) : judged(problem, head, row)
    outputs.set(one, i * problem.outputs)
  }
  return outputs
}
