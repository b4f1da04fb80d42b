import { applyHead, calibrationOf, type Head, uncalibrated } from "../head/head.ts"
import { rowOf } from "../head/problem.ts"
import type { Note } from "../record.ts"
import type { ReadStudy } from "../study/study.ts"
import { isFlat } from "./calibration.ts"
import type { Evaluation } from "./evaluate.ts"
import { leakNotes } from "./leaks.ts"
import { classifies, type Metric, mainOf, predictedClass } from "./score.ts"

export interface FitToJudge extends ReadStudy {
  evaluation: Evaluation
  /** What the acquisition reaches alone. */
  alone: Metric[]
  head: Head
  converged: boolean
  foldsAsked: number
  neighborsAsked?: number
  /** Whether something had to be chosen blindly. */
  byDefault: boolean
}

/** Fewer patients, or events, make intervals that say little. */
const small = 50

/** What the reader of a fit's numbers should know about them. */
export function judge(fit: FitToJudge): Note[] {
  const { study, patients, evaluation, head } = fit
  const notes = [...fit.notes]
  const say = (code: string, when: boolean, message: string) => when && notes.push({ code, message })
  const who = patients.known ? "patients" : "series"

  say(
    "folds-reduced",
    evaluation.folds < fit.foldsAsked,
    `${evaluation.folds} folds in place of ${fit.foldsAsked}: there are too few ${who}, or too few of one class or with the event`,
  )
  say(
    "small-test-set",
    patients.count < small,
    `only ${patients.count} ${who} were tested on: the metrics may be far off, and the intervals too narrow`,
  )
  const events = study.kind === "cox" ? study.event.reduce((sum, e) => sum + e, 0) : small
  say(
    "few-events",
    events < small,
    `only ${events} series had the event, and it is events that a survival probe learns from and is tested on: the ` +
      "metrics may be far off",
  )
  say(
    "separable",
    head.kind !== "knn" && classifies(study.kind) && separated(),
    "the head tells its own training series apart without error, as is usual with more features than series: " +
      "only the out-of-fold metrics count",
  )
  const main = mainOf(evaluation.metrics)
  const trivial = study.kind === "ridge" ? 0 : 0.5
  say(
    "suspiciously-perfect",
    main.value > 0.9999,
    `${main.name} out of fold is ${main.value.toFixed(4)}: check that the label is not given away by the scanner or ` +
      "the extent of the scan; 'acquisition' tells what those reach alone",
  )
  notes.push(...leakNotes(evaluation.metrics, fit.alone, fit.acquisition?.from ?? []))
  say(
    "not-better-than-trivial",
    main.low === null || main.low <= trivial,
    `the interval of ${main.name} reaches the trivial predictor's ${trivial}: nothing is shown to be learned`,
  )
  const undefinedIn = Math.max(...evaluation.metrics.map((metric) => metric.undefinedIn))
  say(
    "replicates-left-out",
    undefinedIn > 0,
    `in up to ${undefinedIn} of 1000 bootstrap replicates a metric was not defined (a class, or the event, was not drawn): ` +
      "its interval rests on the others",
  )
  const [choice, what] =
    head.kind === "knn" ? ["neighbors", "the number of neighbors"] : ["penalty", "the penalty"]
  say(
    `${choice}-by-default`,
    fit.byDefault,
    `a class, or the event, has too few patients to choose ${what} by cross-validation everywhere: the default was used there`,
  )
  const fewest = Math.min(...evaluation.choices.map(({ value }) => value))
  say(
    "neighbors-reduced",
    fewest < (fit.neighborsAsked ?? 0),
    `${fewest} neighbors in place of ${fit.neighborsAsked}, where a fold has no more series to learn from: all answer, near or far`,
  )
  const calibration = calibrationOf(head)
  const linear = head.kind === "logistic" || head.kind === "softmax"
  say(
    "not-calibrated",
    linear && !(calibration && evaluation.calibrated),
    "a class has too few patients to calibrate the probabilities by cross-validation everywhere: there they are as the " +
      "head has them, and may be too sure",
  )
  say(
    "calibration-flat",
    calibration !== undefined && isFlat(calibration),
    "scores of held-out series told the classes no better than chance: all probabilities are near the share of the class",
  )
  say(
    "no-interval",
    study.kind === "ridge" && evaluation.metrics.every(({ name }) => name !== "coverage-90"),
    `too few ${who} to say how often prediction intervals hold, and maybe to give any`,
  )
  say(
    "not-converged",
    !fit.converged,
    "the fit stopped before its tolerance: scale of the features or labels?",
  )
  const { values, rows, columns } = study.table
  const constant = [...head.mean.keys()].filter((c) => {
    for (let row = 1; row < rows; row++) if (values[row * columns + c] !== values[c]) return false
    return true
  }).length
  say(
    "constant-features",
    constant > 0,
    `${constant} of ${columns} features are the same in every series: unused`,
  )
  return notes

  function separated(): boolean {
    // A calibration is of held-out rows, and may well cut the training rows elsewhere.
    const plain = uncalibrated(head)
    return study.target.every(
      (truth, row) => predictedClass(applyHead(plain, rowOf(study, row)), study.outputs)[0] === truth,
    )
  }
}
