import { setImmediate } from "node:timers/promises"
import { Fault } from "#shared/errors.ts"
import { needed, type Study } from "../study/rows.ts"
import { rowsOf, type Split, split } from "../study/split.ts"
import { coverage } from "./coverage.ts"
import { heldOut, type Trial, type TrialResult } from "./held-out.ts"
import type { Choice, Method } from "./learn.ts"
import { classifies, confusion, type Metric, score } from "./score.ts"
import { trivial } from "./trivial.ts"

export interface EvaluateOptions {
  folds: number
  seed: number
  method: Method
  /** After each fold of the method, then after each of the nearest neighbor: twice as many in all. */
  onFold?: (done: number, total: number) => void
}

export interface Evaluation {
  metrics: Metric[]
  /**
   * The same metrics of the trivial predictor, which says the same of every series: the share of each class, the mean,
   * or the Kaplan-Meier curve of all.
   */
  baseline: Metric[]
  /** The same metrics of the label of the nearest neighbor, in the same folds. */
  nearest: Metric[]
  /** Classification only: counts by true class (rows) and predicted class (columns). */
  confusion?: number[][]
  /** Folds that were made: fewer than asked for where groups or a class are few. */
  folds: number
  /** The fold of each row. */
  fold: Uint8Array
  /** What each fold chose inside its training rows. */
  choices: Choice[]
  /** What the head of the fold in which the row was held out says of it, [rows, outputs]. */
  outOfFold: Float64Array
  converged: boolean
  /** Whether the head of every fold has a calibration. */
  calibrated: boolean
}

/**
 * Cross-validation by group: each row is predicted by a head that never saw its patient, neither for the weights,
 * the scaling, the penalty nor the calibration. The pooled predictions are scored, with bootstrap intervals over the groups.
 * @throws Fault `invalid` / `too-few-labels` when no two folds can be made
 */
export async function evaluate(study: Study, options: EvaluateOptions): Promise<Evaluation> {
  const { seed, method, onFold } = options
  const dealt = outerFolds(study, options)
  const after = (before: number) => (done: number) => onFold?.(before + done, 2 * dealt.folds)
  const { outOfFold, results } = await crossValidate(study, dealt, { seed, method, onFold: after(0) })
  const one = await crossValidate(study, dealt, {
    seed,
    method: { kind: "neighbors", count: 1 },
    onFold: after(dealt.folds),
  })
  return {
    metrics: scored(outOfFold),
    baseline: scored(trivial(study)),
    nearest: scored(one.outOfFold),
    confusion: classifies(study.kind) ? confusion(study, outOfFold) : undefined,
    folds: dealt.folds,
    fold: dealt.fold,
    choices: results.map(({ choice }) => choice),
    outOfFold,
    converged: results.every(({ converged }) => converged),
    calibrated: results.every(({ calibrated }) => calibrated),
  }

  function scored(outputs: Float64Array): Metric[] {
    return [...score(study, outputs, study.group, seed), ...coverage(study, outputs, dealt.fold, seed)]
  }
}

async function crossValidate(
  study: Study,
  dealt: Split,
  { seed, method, onFold }: { seed: number; method: Method; onFold: (done: number) => void },
): Promise<{ outOfFold: Float64Array; results: TrialResult[] }> {
  const width = study.outputs
  const outOfFold = new Float64Array(study.table.rows * width)
  const results: TrialResult[] = []
  for (let fold = 0; fold < dealt.folds; fold++) {
    const { train, test } = rowsOf(dealt, fold)
    const result = await run({ study, train, test, method, seed: seed + 1 + fold })
    for (const [i, row] of test.entries())
      outOfFold.set(result.outputs.subarray(i * width, (i + 1) * width), row * width)
    results.push(result)
    onFold(fold + 1)
  }
  return { outOfFold, results }
}

/** A fold takes seconds on large cohorts: lets progress and cancellation through. */
async function run(trial: Trial): Promise<TrialResult> {
  await setImmediate()
  return heldOut(trial)
}

function outerFolds(study: Study, { folds, seed }: EvaluateOptions) {
  const dealt = split(study.group, study.stratum, { folds, seed, needed: needed(study.kind, study.stratum) })
  if (dealt) return dealt
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
