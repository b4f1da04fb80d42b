/**
 * Metrics of predictions against truth. Each takes a weight per series, 1 for all when absent: the bootstrap
 * counts how often a series was drawn. NaN where a metric is not defined, as with one class only.
 */

/** Row numbers by score, highest first. */
export function descending(score: Float64Array): Uint32Array {
  return Uint32Array.from(score.keys()).sort((a, b) => score[b] - score[a])
}

/** A binary question: which rows are positive (1), their score, and `descending(score)`. */
export interface Ranked {
  positive: Uint8Array
  score: Float64Array
  order: Uint32Array
}

export function ranked(positive: Uint8Array, score: Float64Array): Ranked {
  return { positive, score, order: descending(score) }
}

type Weight = ArrayLike<number> | undefined

/** Calls `at` with the weight of positives and negatives of each distinct score, highest first. */
function steps({ positive, score, order }: Ranked, weight: Weight, at: (p: number, n: number) => void): void {
  let p = 0
  let n = 0
  for (let i = 0; i < order.length; i++) {
    const row = order[i]
    const w = weight ? weight[row] : 1
    if (positive[row]) p += w
    else n += w
    if (i + 1 === order.length || score[order[i + 1]] !== score[row]) {
      at(p, n)
      p = 0
      n = 0
    }
  }
}

/** Area under the ROC curve: the share of pairs ranked rightly, ties counting half. */
export function auroc(question: Ranked, weight?: ArrayLike<number>): number {
  let positives = 0
  let negatives = 0
  let pairs = 0
  steps(question, weight, (p, n) => {
    pairs += n * (positives + p / 2)
    positives += p
    negatives += n
  })
  return pairs / (positives * negatives)
}

/** Area under the precision-recall curve as average precision: Σ (recall gained) · precision. */
export function auprc(question: Ranked, weight?: ArrayLike<number>): number {
  let positives = 0
  let all = 0
  let area = 0
  steps(question, weight, (p, n) => {
    positives += p
    all += p + n
    if (p > 0) area += (p * positives) / all
  })
  return positives < all ? area / positives : Number.NaN
}

/** F1 = 2 TP / (2 TP + FP + FN) of the class `k`; 0 when it is never predicted rightly, NaN when it never occurs. */
export function f1(truth: Float64Array, predicted: Float64Array, k: number, weight?: Weight): number {
  let hits = 0
  let wrong = 0
  let occurs = 0
  for (let i = 0; i < truth.length; i++) {
    const w = weight ? weight[i] : 1
    if (truth[i] === k) occurs += w
    if (truth[i] === k && predicted[i] === k) hits += w
    else if (truth[i] === k || predicted[i] === k) wrong += w
  }
  return occurs > 0 ? (2 * hits) / (2 * hits + wrong) : Number.NaN
}

/** The weighted mean of one number per series. */
export function mean(values: ArrayLike<number>, weight?: Weight): number {
  let sum = 0
  let total = 0
  for (let i = 0; i < values.length; i++) {
    const w = weight ? weight[i] : 1
    sum += w * values[i]
    total += w
  }
  return sum / total
}

/** 1 − Σ (y − ŷ)² / Σ (y − ȳ)², ȳ the mean of the truth; NaN when the truth is constant. */
export function r2(truth: Float64Array, squaredError: Float64Array, weight?: Weight): number {
  const centre = mean(truth, weight)
  const spread = truth.map((y) => (y - centre) ** 2)
  const total = mean(spread, weight)
  return total > 0 ? 1 - mean(squaredError, weight) / total : Number.NaN
}
