import type { Problem } from "../head/problem.ts"
import type { Study } from "../study/rows.ts"
import {
  halfWidth,
  heldOutHalfWidths,
  intervalMetrics,
  intervalShare,
  type PredictionInterval,
} from "./prediction-interval.ts"
import { type Metric, measured } from "./score.ts"

/** The interval that values get, from the errors of out-of-fold ones. */
export function predictionInterval({ target, group }: Study, outOfFold: Float64Array): PredictionInterval {
  return { share: intervalShare, half: halfWidth(residuals(target, outOfFold), group) }
}

/**
 * Of regression, how often such intervals hold the truth: those of each fold are made from the other folds' errors.
 * None for other tasks, nor where there are too few patients.
 */
export function coverage(
  { kind, target, group }: Study,
  outOfFold: Float64Array,
  fold: Uint8Array,
  seed: number,
): Metric[] {
  if (kind !== "ridge") return []
  const residual = residuals(target, outOfFold)
  const half = heldOutHalfWidths(residual, group, fold)
  return half ? measured(intervalMetrics(residual, half), group, seed) : []
}

/** Of regression, how often the interval that a probe gives holds the truth of rows it never saw. */
export function coverageElsewhere(
  { kind, target }: Problem,
  outputs: Float64Array,
  { half }: PredictionInterval,
  { group, seed }: { group: Uint32Array; seed: number },
): Metric[] {
  if (kind !== "ridge" || half === null) return []
  const residual = residuals(target, outputs)
  return measured(intervalMetrics(residual, new Float64Array(target.length).fill(half)), group, seed)
}

function residuals(target: Float64Array, value: Float64Array): Float64Array {
  return target.map((truth, row) => Math.abs(value[row] - truth))
}
