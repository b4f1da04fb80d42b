import type { Problem } from "../head/problem.ts"
import { bootstrap, type Interval, type Weighted } from "./bootstrap.ts"
import { delong } from "./delong.ts"
import { auprc, auroc, f1, mean, r2, ranked } from "./metrics.ts"
import { survivalMetrics } from "./survival-metrics.ts"

export interface Metric {
  name: string
  value: number
  /** 95 % bootstrap interval; null where the metric is undefined in most replicates. */
  low: number | null
  high: number | null
  /** Replicates out of 1000 in which the metric was not defined. */
  undefinedIn: number
  /** Of two classes' AUROC: the interval by DeLong's standard error; null where that would lie. */
  delong?: Interval | null
}

/**
 * Metrics with intervals over groups. `outputs` holds what a head said of each row, [rows, outputs].
 * Two classes: the second is the positive one, predicted above 0.5. More: macro means over one-versus-rest
 * questions, the likeliest class predicted. AUPRC is average precision; Brier is the mean of (p − y)², for more
 * than two classes summed over them.
 */
export function score(problem: Problem, outputs: Float64Array, group: Uint32Array, seed: number): Metric[] {
  const found = measured(metricsOf(problem, outputs), group, seed)
  if (problem.kind !== "logistic") return found
  const interval = delong(Uint8Array.from(problem.target), outputs, group)
  return found.map((metric) => (metric.name === "auroc" ? { ...metric, delong: interval } : metric))
}

/** Metrics of all rows, with bootstrap intervals over groups. */
export function measured(named: Record<string, Weighted>, group: Uint32Array, seed: number): Metric[] {
  const metrics = Object.entries(named)
  const { intervals, undefinedIn } = bootstrap(
    metrics.map(([, metric]) => metric),
    group,
    { seed },
  )
  return metrics.map(([name, metric], m) => ({
    name,
    value: metric(),
    low: intervals[m]?.low ?? null,
    high: intervals[m]?.high ?? null,
    undefinedIn: undefinedIn[m],
  }))
}

/** The metrics of all rows alone. */
export function values(problem: Problem, outputs: Float64Array): { name: string; value: number }[] {
  return Object.entries(metricsOf(problem, outputs)).map(([name, metric]) => ({ name, value: metric() }))
}

/** By name, each of all rows or weighted. `outputs`: as `score` has them. */
export function metricsOf(problem: Problem, outputs: Float64Array): Record<string, Weighted> {
  const { kind, target, outputs: width } = problem
  if (problem.kind === "cox") {
    const { event, grid } = problem
    const risk = target.map((_, row) => outputs[row * width])
    const survival = outputs.filter((_, i) => i % width > 0)
    return survivalMetrics({ time: target, event }, risk, survival, grid)
  }
  if (kind === "ridge") return numberMetrics(target, outputs)
  if (kind === "logistic") return binaryMetrics(target, outputs)
  return classMetrics(target, outputs, width)
}

function numberMetrics(truth: Float64Array, value: Float64Array): Record<string, Weighted> {
  const error = truth.map((y, i) => Math.abs(value[i] - y))
  const square = error.map((e) => e * e)
  return {
    mae: (weight) => mean(error, weight),
    rmse: (weight) => Math.sqrt(mean(square, weight)),
    r2: (weight) => r2(truth, square, weight),
  }
}

export function binaryMetrics(truth: Float64Array, probability: Float64Array): Record<string, Weighted> {
  const question = ranked(Uint8Array.from(truth), probability)
  const predicted = predictedClass(probability, 1)
  const right = truth.map((y, i) => (y === predicted[i] ? 1 : 0))
  const square = truth.map((y, i) => (probability[i] - y) ** 2)
  return {
    auroc: (weight) => auroc(question, weight),
    auprc: (weight) => auprc(question, weight),
    accuracy: (weight) => mean(right, weight),
    f1: (weight) => f1(truth, predicted, 1, weight),
    brier: (weight) => mean(square, weight),
  }
}

function classMetrics(
  truth: Float64Array,
  probability: Float64Array,
  classes: number,
): Record<string, Weighted> {
  const each = Array.from({ length: classes }, (_, k) => k)
  const questions = each.map((k) =>
    ranked(
      Uint8Array.from(truth, (y) => (y === k ? 1 : 0)),
      truth.map((_, i) => probability[i * classes + k]),
    ),
  )
  const predicted = predictedClass(probability, classes)
  const right = truth.map((y, i) => (y === predicted[i] ? 1 : 0))
  const square = truth.map((y, i) =>
    each.reduce((sum, k) => sum + (probability[i * classes + k] - (y === k ? 1 : 0)) ** 2, 0),
  )
  return {
    "macro-auroc": (weight) => mean(questions.map((question) => auroc(question, weight))),
    "macro-auprc": (weight) => mean(questions.map((question) => auprc(question, weight))),
    accuracy: (weight) => mean(right, weight),
    "macro-f1": (weight) => mean(each.map((k) => f1(truth, predicted, k, weight))),
    brier: (weight) => mean(square, weight),
  }
}

/** The one that says how well ranks or values are told: AUROC, C-index or R². */
export function mainOf<M extends { name: string }>(metrics: M[]): M {
  return metrics.filter(({ name }) => /c-index|auroc|r2/.test(name))[0]
}

/** Whether a head of this kind tells classes. */
export function classifies(kind: Problem["kind"]): boolean {
  return kind === "logistic" || kind === "softmax"
}

/** The class number a head's outputs stand for, per row: above 0.5 for one output, else the likeliest. */
export function predictedClass(outputs: Float64Array, width: number): Float64Array {
  return Float64Array.from({ length: outputs.length / width }, (_, i) => {
    if (width === 1) return outputs[i] > 0.5 ? 1 : 0
    const row = outputs.subarray(i * width, (i + 1) * width)
    return row.indexOf(Math.max(...row))
  })
}

/** Counts by true class (rows) and predicted class (columns). */
export function confusion({ target, outputs: width }: Problem, outputs: Float64Array): number[][] {
  const classes = Math.max(width, 2)
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  const predicted = predictedClass(outputs, width)
  for (let i = 0; i < target.length; i++) counts[target[i]][predicted[i]]++
  return counts
}
