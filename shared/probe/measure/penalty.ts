import { roughTolerance } from "../head/fitted.ts"
import { applyLinear, fitHeads, type LinearHead, linked, scoresOf } from "../head/linear.ts"
import { partialLikelihood, riskSets } from "../head/partial-likelihood.ts"
import { rowOf } from "../head/problem.ts"
import type { Study } from "../study/rows.ts"
import { foldsWithin } from "./inner.ts"

/** Columns are standardised and losses are sums over series, so weak to strong for any feature and any unit. */
export const penaltyGrid = [1, 10, 100, 1e3, 1e4, 1e5]
/** Where an inner split is impossible: some class comes from one patient only. */
export const defaultPenalty = 100

/** What cross-validation inside some rows found of each penalty. The rows outside never have a say. */
export interface InnerFits {
  penalties: number[]
  /** Log-loss, squared error, or what held-out rows take from the partial likelihood: summed over the rows. */
  loss: Float64Array
  /** Per penalty, the scores of each row by a head of the other inner folds, before calibration and link: [rows, outputs]. */
  scores: Float64Array[]
}

/** Cross-validates each penalty inside `rows`; undefined when they cannot be split. */
export function innerFits(
  study: Study,
  rows: Uint32Array,
  penalties: number[],
  seed: number,
): InnerFits | undefined {
  const folds = foldsWithin(study, rows, seed)
  if (!folds) return undefined

  const width = study.kind === "cox" ? 1 : study.outputs
  const loss = new Float64Array(penalties.length)
  const scores = penalties.map(() => new Float64Array(rows.length * width))
  for (const { train, test } of folds) {
    const trainRows = train.map((i) => rows[i])
    const heads = fitHeads(study, trainRows, penalties, roughTolerance)
    for (const [p, head] of heads.entries()) {
      for (const i of test) scores[p].set(scoresOf(head, rowOf(study, rows[i])), i * width)
      loss[p] +=
        study.kind === "cox"
          ? partialLoss(
              study,
              head,
              trainRows,
              test.map((i) => rows[i]),
            )
          : test.reduce((sum, i) => {
              const said = scores[p].slice(i * width, (i + 1) * width)
              return sum + lossOf(head.kind, said, study.target[rows[i]])
            }, 0)
    }
  }
  return { penalties, loss, scores }
}

/** The penalty of least loss; of equal ones the last, which is the strongest of the grid. */
export function bestPenalty({ penalties, loss }: InnerFits): number {
  return penalties[loss.lastIndexOf(Math.min(...loss))]
}

/**
 * A partial likelihood is of a whole set: what all rows have more than the training rows is the held-out rows'
 * (Verweij and van Houwelingen 1993).
 */
function partialLoss(
  study: Study & { kind: "cox" },
  head: LinearHead,
  train: Uint32Array,
  test: Uint32Array,
): number {
  const { target, event } = study
  const of = (rows: Uint32Array) =>
    partialLikelihood(
      riskSets(Float64Array.from(rows, (row) => target[row])),
      Uint8Array.from(rows, (row) => event[row]),
      Float64Array.from(rows, (row) => applyLinear(head, rowOf(study, row))[0]),
      new Float64Array(rows.length),
    )
  const all = new Uint32Array(train.length + test.length)
  all.set(train)
  all.set(test, train.length)
  return of(all) - of(train)
}

function lossOf(kind: LinearHead["kind"], scores: Float64Array, truth: number): number {
  const output = linked(kind, scores)
  if (kind === "ridge") return (output[0] - truth) ** 2
  const likelihood = kind === "softmax" ? output[truth] : truth === 1 ? output[0] : 1 - output[0]
  // A probability that rounds to zero must not make one series decide everything.
  return -Math.log(Math.max(likelihood, 1e-15))
}
