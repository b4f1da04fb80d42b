import { roughTolerance } from "./fitted.ts"
import { applyHead, fitHeads, type LinearHead, type Problem } from "./linear.ts"
import { rowsOf, split } from "./split.ts"

/** A problem with what its rows must be split by. */
export interface Study extends Problem {
  /** The patient of each row, numbered from 0; the row's own number where nothing is known of patients. */
  group: Uint32Array
  /** The class of each row, or the fifth of the range of its value. */
  stratum: Uint32Array
}

/** Columns are standardised and losses are sums over series, so weak to strong for any feature and any unit. */
export const penaltyGrid = [1, 10, 100, 1e3, 1e4, 1e5]
/** Where an inner split is impossible: some class comes from one patient only. */
export const defaultPenalty = 100
const innerFolds = 3

/**
 * The penalty of the grid with the least loss (log-loss, squared error) in cross-validation inside `rows`: the
 * rows outside never have a say. Of equal ones the strongest. Undefined when `rows` cannot be split.
 */
export function choosePenalty(study: Study, rows: Uint32Array, seed: number): number | undefined {
  const at = (of: Uint32Array) => Uint32Array.from(rows, (row) => of[row])
  const everyStratum = study.kind !== "ridge"
  const inner = split(at(study.group), at(study.stratum), { folds: innerFolds, seed, everyStratum })
  if (!inner) return undefined

  const loss = new Float64Array(penaltyGrid.length)
  for (let fold = 0; fold < inner.folds; fold++) {
    const { train, test } = rowsOf(inner, fold)
    const trainRows = train.map((i) => rows[i])
    const heads = fitHeads(study, trainRows, penaltyGrid, roughTolerance)
    for (const i of test) {
      const x = rowOf(study, rows[i])
      for (let p = 0; p < heads.length; p++) loss[p] += lossOf(heads[p], x, study.target[rows[i]])
    }
  }
  return penaltyGrid[loss.lastIndexOf(Math.min(...loss))]
}

/** One row of the table. */
export function rowOf({ table }: Problem, row: number): Float32Array {
  return table.values.subarray(row * table.columns, (row + 1) * table.columns)
}

function lossOf(head: LinearHead, x: Float32Array, truth: number): number {
  const output = applyHead(head, x)
  if (head.kind === "ridge") return (output[0] - truth) ** 2
  const likelihood = head.kind === "softmax" ? output[truth] : truth === 1 ? output[0] : 1 - output[0]
  // A probability that rounds to zero must not make one series decide everything.
  return -Math.log(Math.max(likelihood, 1e-15))
}
