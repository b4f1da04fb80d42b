import { uncensored } from "../head/hazard.ts"
import { judgedBy } from "../head/known.ts"
import { neighborHead, neighborsOfEach } from "../head/neighbors.ts"
import type { Study } from "../study/rows.ts"
import { gridOf } from "../study/survival-times.ts"
import { foldsWithin } from "./inner.ts"
import { mean } from "./metrics.ts"
import { integratedBrier } from "./survival-metrics.ts"

/** Odd, so that two classes at one distance do not tie; VoxelFM's grid goes from 1 to 101. */
export const countGrid = [1, 3, 5, 11, 21, 41, 81]
/** Where an inner split is impossible: scikit-learn's default. */
export const defaultCount = 5

/**
 * The number of neighbors of the grid with the least squared error in cross-validation inside `rows`: of values, of
 * the shares of classes (Brier), or of survival curves (integrated Brier). Not the log-loss that penalties are chosen
 * by: a share of few neighbors is often exactly 0, whose log is whatever it is clipped to. Distances are
 * measured once for all. Of equal ones the largest. Undefined when `rows` cannot be split.
 */
export function chooseCount(study: Study, rows: Uint32Array, seed: number): number | undefined {
  const folds = foldsWithin(study, rows, seed)
  if (!folds) return undefined
  const inside = within(study, rows)
  const width = inside.outputs
  const most = Math.min(...folds.map(({ train }) => train.length))
  const counts = countGrid.filter((count) => count <= most)
  const outputs = counts.map(() => new Float64Array(rows.length * width))
  for (const { train, test } of folds) {
    const trainRows = train.map((i) => rows[i])
    const head = neighborHead(inside, trainRows, counts[counts.length - 1])
    const testRows = test.map((i) => rows[i])
    for (const [t, all] of neighborsOfEach(head, study.table, testRows).entries()) {
      for (const [i, count] of counts.entries()) {
        const near = { rows: all.rows.subarray(0, count), distances: all.distances.subarray(0, count) }
        outputs[i].set(judgedBy(inside, head.known, near), test[t] * width)
      }
    }
  }
  const losses = outputs.map((all) => squaredError(inside, rows, all))
  return counts[losses.lastIndexOf(Math.min(...losses))]
}

/** Survival is judged at event times of the rows themselves. */
function within(study: Study, rows: Uint32Array): Study {
  if (study.kind !== "cox") return study
  const { time, event } = outcomes(study, rows)
  const grid = gridOf(time, event)
  return { ...study, grid, outputs: 1 + grid.length }
}

function outcomes(study: Study & { kind: "cox" }, rows: Uint32Array) {
  return {
    time: Float64Array.from(rows, (row) => study.target[row]),
    event: Uint8Array.from(rows, (row) => study.event[row]),
  }
}

/** @param outputs what is judged of each of the rows, [rows, outputs] */
function squaredError(study: Study, rows: Uint32Array, outputs: Float64Array): number {
  const { target, outputs: width } = study
  if (study.kind === "cox") {
    const { time, event } = outcomes(study, rows)
    const survival = outputs.filter((_, i) => i % width > 0)
    return mean(integratedBrier({ time, event }, survival, study.grid, uncensored(time, event)))
  }
  const truth = (row: number, k: number) => (width === 1 ? target[row] : target[row] === k ? 1 : 0)
  return outputs.reduce(
    (sum, output, i) => sum + (output - truth(rows[Math.floor(i / width)], i % width)) ** 2,
    0,
  )
}
