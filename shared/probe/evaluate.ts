import { setImmediate } from "node:timers/promises"
import { Fault } from "#shared/errors.ts"
import { applyHead, fitHeads } from "./linear.ts"
import { choosePenalty, defaultPenalty, rowOf, type Study } from "./penalty.ts"
import { confusion, type Metric, score } from "./score.ts"
import { rowsOf, split } from "./split.ts"

export interface EvaluateOptions {
  folds: number
  seed: number
  /** Fixed for every fold; chosen inside each fold's training rows when absent. */
  penalty?: number
  onFold?: (done: number, folds: number) => void
}

export interface Evaluation {
  metrics: Metric[]
  /** The same metrics of the trivial predictor, which says the same of every series: the share of each class, or the mean. */
  baseline: Metric[]
  /** Classification only: counts by true class (rows) and predicted class (columns). */
  confusion?: number[][]
  /** Folds that were made: fewer than asked for where groups or a class are few. */
  folds: number
  /** Of each fold. */
  penalties: number[]
  /** What `applyHead` gave for each row from the fold in which the row was held out, [rows, outputs]. */
  outOfFold: Float64Array
  converged: boolean
  /** Whether a fold's training rows could not be split to choose one. */
  penaltyByDefault: boolean
}

/**
 * Cross-validation by group: each row is predicted by a head that never saw its patient, neither for the weights,
 * the scaling nor the penalty. The pooled predictions are scored, with bootstrap intervals over the groups.
 * @throws Fault `invalid` / `too-few-labels` when no two folds can be made
 */
export async function evaluate(study: Study, options: EvaluateOptions): Promise<Evaluation> {
  const { seed } = options
  const width = study.outputs
  const outer = split(study.group, study.stratum, {
    folds: options.folds,
    seed,
    everyStratum: study.kind !== "ridge",
  })
  if (!outer) {
    throw new Fault(
      "invalid",
      "too-few-labels",
      "a class comes from one patient only, so no fold could learn it and be tested on it: " +
        "label more patients, or merge or drop the class",
    )
  }

  const outOfFold = new Float64Array(study.table.rows * width)
  const penalties: number[] = []
  let converged = true
  let penaltyByDefault = false
  for (let fold = 0; fold < outer.folds; fold++) {
    // A fold takes seconds on large cohorts: let progress and cancellation through.
    await setImmediate()
    const { train, test } = rowsOf(outer, fold)
    const chosen = options.penalty ?? choosePenalty(study, train, seed + 1 + fold)
    const penalty = chosen ?? defaultPenalty
    penaltyByDefault ||= chosen === undefined
    const [head] = fitHeads(study, train, [penalty])
    for (const row of test) outOfFold.set(applyHead(head, rowOf(study, row)), row * width)
    penalties.push(penalty)
    converged &&= head.converged
    options.onFold?.(fold + 1, outer.folds)
  }

  return {
    metrics: score(study, outOfFold, study.group, seed),
    baseline: score(study, trivial(study), study.group, seed),
    confusion: study.kind === "ridge" ? undefined : confusion(study, outOfFold),
    folds: outer.folds,
    penalties,
    outOfFold,
    converged,
    penaltyByDefault,
  }
}

/**
 * The share of each class, or the mean, over all rows: one prediction for everybody, so that ranks tie. It has seen
 * the rows it is judged on, which flatters it a little.
 */
function trivial({ kind, target, outputs: width }: Study): Float64Array {
  const constant = new Float64Array(width)
  for (const t of target) constant[kind === "softmax" ? t : 0] += (kind === "softmax" ? 1 : t) / target.length
  return Float64Array.from({ length: target.length * width }, (_, i) => constant[i % width])
}
