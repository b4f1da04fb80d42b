import { roughTolerance } from "../head/fitted.ts"
import { applyLinear, fitHeads, type LinearHead } from "../head/linear.ts"
import { partialLikelihood, riskSets } from "../head/partial-likelihood.ts"
import { rowOf } from "../head/problem.ts"
import type { Study } from "../study/rows.ts"
import { foldsWithin } from "./inner.ts"

/** Columns are standardised and losses are sums over series, so weak to strong for any feature and any unit. */
export const penaltyGrid = [1, 10, 100, 1e3, 1e4, 1e5]
/** Where an inner split is impossible: some class comes from one patient only. */
export const defaultPenalty = 100

/**
 * The penalty of the grid with the least loss (log-loss, squared error, or what held-out rows take from the partial
 * likelihood) in cross-validation inside `rows`: the rows outside never have a say. Of equal ones the strongest. Undefined when `rows` cannot be split.
 */
export function choosePenalty(study: Study, rows: Uint32Array, seed: number): number | undefined {
  const folds = foldsWithin(study, rows, seed)
  if (!folds) return undefined

  const loss = new Float64Array(penaltyGrid.length)
  for (const { train, test } of folds) {
    const trainRows = train.map((i) => rows[i])
    const heads = fitHeads(study, trainRows, penaltyGrid, roughTolerance)
    const testRows = test.map((i) => rows[i])
    for (let p = 0; p < heads.length; p++) loss[p] += lossOf(study, heads[p], trainRows, testRows)
  }
  return penaltyGrid[loss.lastIndexOf(Math.min(...loss))]
}

/** Of the rows held out, for a head of the others. */
function lossOf(study: Study, head: LinearHead, train: Uint32Array, test: Uint32Array): number {
  if (study.kind !== "cox") {
    return test.reduce((sum, row) => sum + lossOfRow(head, rowOf(study, row), study.target[row]), 0)
  }
  // A partial likelihood is of a whole set: what all rows have more than the training rows is the held-out rows'
  // (Verweij and van Houwelingen 1993).
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

function lossOfRow(head: LinearHead, x: Float32Array, truth: number): number {
  const output = applyLinear(head, x)
  if (head.kind === "ridge") return (output[0] - truth) ** 2
  const likelihood = head.kind === "softmax" ? output[truth] : truth === 1 ? output[0] : 1 - output[0]
  // A probability that rounds to zero must not make one series decide everything.
  return -Math.log(Math.max(likelihood, 1e-15))
}
