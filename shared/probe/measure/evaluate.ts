import { Fault } from "#shared/errors.ts"
import { needed, type Study } from "../study/rows.ts"
import { rowsOf, type Split, split } from "../study/split.ts"
import { coverage } from "./coverage.ts"
import type { TrialResult } from "./held-out.ts"
import type { Choice, Method } from "./learn.ts"
import { classifies, confusion, type Metric, score } from "./score.ts"
import { inThisThread, type Workers } from "./threads.ts"
import { trivial } from "./trivial.ts"

export interface EvaluateOptions {
  folds: number
  seed: number
  method: Method
  /** Who learns and tests each fold; this thread, one after the other, when absent. */
  workers?: Workers
  /** After each fold of the method, and each of the nearest neighbor: twice as many in all. */
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
  const { seed, workers, onFold } = options
  const dealt = outerFolds(study, options)
  let done = 0
  const after = () => onFold?.(++done, 2 * dealt.folds)
  const nearest: Method = { kind: "neighbors", count: 1 }
  const [{ outOfFold, results }, one] = await Promise.all([
    crossValidate(study, dealt, { seed, method: options.method, workers, onFold: after }),
    crossValidate(study, dealt, { seed, method: nearest, workers, onFold: after }),
  ])
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

/** What each fold, by a head of the others, says of its rows, [rows, outputs]. */
export async function crossValidate(
  study: Study,
  dealt: Split,
  options: Pick<EvaluateOptions, "seed" | "method" | "workers"> & { onFold?: () => void },
): Promise<{ outOfFold: Float64Array; results: TrialResult[] }> {
  const { seed, method, workers = inThisThread(), onFold } = options
  const width = study.outputs
  const outOfFold = new Float64Array(study.table.rows * width)
  const results = await Promise.all(
    Array.from({ length: dealt.folds }, async (_, fold) => {
      const { train, test } = rowsOf(dealt, fold)
      const result = await workers.heldOut({ study, train, test, method, seed: seed + 1 + fold })
      for (const [i, row] of test.entries())
        outOfFold.set(result.outputs.subarray(i * width, (i + 1) * width), row * width)
      onFold?.()
      return result
    }),
  )
  return { outOfFold, results }
}

/** @throws Fault `invalid` / `too-few-labels` when no two can be made */
export function outerFolds(study: Study, { folds, seed }: Pick<EvaluateOptions, "folds" | "seed">): Split {
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
