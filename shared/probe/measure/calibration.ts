import type { Calibration } from "../head/calibration.ts"
import { logisticLine, logisticShift } from "./logistic-line.ts"
import { softmaxScale } from "./softmax-scale.ts"

/**
 * The least slope, and one over the highest temperature. Where held-out scores tell classes no better than chance the
 * likelihood asks for a slope of 0 or below, which would make all series equal or turn their order around.
 */
export const leastSlope = 1e-3

/**
 * The calibration of greatest likelihood for scores of rows that were held out when their head was fitted: of scores of
 * a head's own training rows it would learn nothing. Two classes by Platt scaling (Platt 1999, with Lin, Lin and Weng's
 * 2007 reading of it), more by temperature scaling (Guo et al. 2017). Targets are Platt's, so that it stays finite when
 * the classes are told apart without error: a row of a class with n rows is of that class with probability
 * (n + 1) / (n + K), of K classes, and of each other one with 1 / (n + K).
 * @param scores [rows, outputs], before any link: one output stands for two classes
 * @param truth the class number of each row
 */
export function fitCalibration(scores: Float64Array, truth: Float64Array): Calibration {
  const outputs = scores.length / truth.length
  const classes = Math.max(outputs, 2)
  const count = new Float64Array(classes)
  for (const k of truth) count[k]++
  const target = (row: number, k: number) => {
    const n = count[truth[row]]
    return (truth[row] === k ? n + 1 : 1) / (n + classes)
  }
  return outputs === 1
    ? platt(
        scores,
        truth.map((_, row) => target(row, 1)),
      )
    : { method: "temperature", temperature: 1 / Math.max(softmaxScale(scores, classes, target), leastSlope) }
}

function platt(scores: Float64Array, target: Float64Array): Calibration {
  const { slope, intercept } = logisticLine(scores, target)
  if (slope >= leastSlope) return { method: "platt", slope, intercept }
  // The likelihood is concave, so its greatest value among slopes that are allowed is at the least of them.
  const flat = scores.map((score) => leastSlope * score)
  return { method: "platt", slope: leastSlope, intercept: logisticShift(flat, target) }
}

/** Whether the scores of held-out rows said nothing of their classes. */
export function isFlat(calibration: Calibration): boolean {
  return calibration.method === "platt"
    ? calibration.slope <= leastSlope
    : calibration.temperature >= 1 / leastSlope
}
