import type { Head } from "../head/head.ts"
import { fitHeads } from "../head/linear.ts"
import { neighborHead } from "../head/neighbors.ts"
import type { Study } from "../study/rows.ts"
import { fitCalibration } from "./calibration.ts"
import { chooseCount, defaultCount } from "./count.ts"
import { bestPenalty, defaultPenalty, innerFits, penaltyGrid } from "./penalty.ts"
import { classifies } from "./score.ts"

/** How rows are learned from. What is left out is chosen by cross-validation inside the rows. */
export type Method = { kind: "linear"; penalty?: number } | { kind: "neighbors"; count?: number }

/** The one number that a method has to be given: a linear head's penalty, or how many neighbors answer. */
export interface Choice {
  value: number
  by: "caller" | "cross-validation" | "default"
}

export interface Learned {
  head: Head
  choice: Choice
  converged: boolean
  /** Held-out rows that the head's calibration was fitted on; 0 where it has none. */
  calibratedOn: number
}

/** Learns from the given rows alone: neither weights, scaling, choices nor calibration know of any other. */
export function learn(study: Study, rows: Uint32Array, method: Method, seed: number): Learned {
  if (method.kind === "neighbors") {
    const choice = choose(method.count, () => chooseCount(study, rows, seed), defaultCount)
    const head = neighborHead(study, rows, choice.value)
    return { head, choice: { ...choice, value: head.count }, converged: true, calibratedOn: 0 }
  }
  const { penalty } = method
  const classes = classifies(study.kind)
  const penalties = penalty === undefined ? penaltyGrid : [penalty]
  const inner = penalty === undefined || classes ? innerFits(study, rows, penalties, seed) : undefined
  const choice = choose(penalty, () => inner && bestPenalty(inner), defaultPenalty)
  const [{ converged, ...head }] = fitHeads(study, rows, [choice.value])
  if (!inner || !classes || head.kind === "cox") return { head, choice, converged, calibratedOn: 0 }
  const scores = inner.scores[inner.penalties.indexOf(choice.value)]
  const truth = Float64Array.from(rows, (row) => study.target[row])
  const calibration = fitCalibration(scores, truth)
  return { head: { ...head, calibration }, choice, converged, calibratedOn: rows.length }
}

function choose(given: number | undefined, search: () => number | undefined, otherwise: number): Choice {
  if (given !== undefined) return { value: given, by: "caller" }
  const found = search()
  return found === undefined ? { value: otherwise, by: "default" } : { value: found, by: "cross-validation" }
}
