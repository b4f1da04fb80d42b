import { setImmediate } from "node:timers/promises"
import { Fault } from "#shared/errors.ts"
import { kaplanMeier } from "./hazard.ts"
import { applyHead, fitHeads, type LinearHead, survivalAt } from "./linear.ts"
import { choosePenalty, defaultPenalty, needed, rowOf, type Study } from "./penalty.ts"
import { classifies, confusion, type Metric, score } from "./score.ts"
import { rowsOf, split } from "./split.ts"
import { valueAt } from "./steps.ts"

export interface EvaluateOptions {
  folds: number
  seed: number
  /** Fixed for every fold; chosen inside each fold's training rows when absent. */
  penalty?: number
  onFold?: (done: number, folds: number) => void
}

export interface Evaluation {
  metrics: Metric[]
  /**
   * The same metrics of the trivial predictor, which says the same of every series: the share of each class, the mean,
   * or the Kaplan-Meier curve of all.
   */
  baseline: Metric[]
  /** Classification only: counts by true class (rows) and predicted class (columns). */
  confusion?: number[][]
  /** Folds that were made: fewer than asked for where groups or a class are few. */
  folds: number
  /** Of each fold. */
  penalties: number[]
  /** What the head of the fold in which the row was held out says of it, [rows, outputs]. */
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
    needed: needed(study.kind, study.stratum),
  })
  if (!outer) {
    throw new Fault(
      "invalid",
      "too-few-labels",
      study.kind === "cox"
        ? "the events come from one patient only, so no fold could learn from some and be tested on others: " +
            "label more patients, or follow them for longer"
        : "a class comes from one patient only, so no fold could learn it and be tested on it: " +
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
    for (const row of test) outOfFold.set(said(study, head, row), row * width)
    penalties.push(penalty)
    converged &&= head.converged
    options.onFold?.(fold + 1, outer.folds)
  }

  return {
    metrics: score(study, outOfFold, study.group, seed),
    baseline: score(study, trivial(study), study.group, seed),
    confusion: classifies(study.kind) ? confusion(study, outOfFold) : undefined,
    folds: outer.folds,
    penalties,
    outOfFold,
    converged,
    penaltyByDefault,
  }
}

/**
 * What is judged of a row. A risk is relative to the mean of its own fold's training rows, which the folds, dealt by
 * stratum, have nearly in common; survival is under its own fold's baseline.
 */
function said(study: Study, head: LinearHead, row: number): Float64Array {
  const output = applyHead(head, rowOf(study, row))
  if (study.kind !== "cox" || head.kind !== "cox") return output
  const [risk] = output
  return Float64Array.of(risk, ...study.grid.map((time) => survivalAt(head.logHazard, risk, time)))
}

/**
 * The share of each class, the mean, or no risk and the Kaplan-Meier curve, over all rows: one prediction for
 * everybody, so that ranks tie. It has seen the rows it is judged on, which flatters it a little.
 */
function trivial(study: Study): Float64Array {
  const { kind, target, outputs: width } = study
  const constant = new Float64Array(width)
  if (study.kind === "cox") {
    const alive = kaplanMeier(target, study.event)
    for (const [k, time] of study.grid.entries()) constant[1 + k] = valueAt(alive, time)
  } else {
    for (const t of target)
      constant[kind === "softmax" ? t : 0] += (kind === "softmax" ? 1 : t) / target.length
  }
  return Float64Array.from({ length: target.length * width }, (_, i) => constant[i % width])
}
