import { dot } from "../math/blas.ts"
import { type Steps, valueAt } from "../math/steps.ts"
import { type Calibration, calibrated } from "./calibration.ts"
import { fitCox } from "./cox.ts"
import { type Scaling, scalingOf, standardise } from "./design.ts"
import { type Fitted, finalTolerance } from "./fitted.ts"
import { logBreslow } from "./hazard.ts"
import { fitLogistic, sigmoid } from "./logistic.ts"
import type { LinearKind, Problem } from "./problem.ts"
import { fitRidge } from "./ridge.ts"
import { inRowSpace } from "./row-space.ts"
import { fitSoftmax, softmax } from "./softmax.ts"

/** A linear head on pooled features: the scaling of its training rows, then weights and intercepts. */
interface Linear extends Scaling {
  /** On standardised columns, [outputs, columns] row-major. */
  weights: Float64Array
  intercept: Float64Array
}

/** A Cox head has the log of the cumulative hazard of a series whose risk is 0, too: the mean of its training rows. */
export type LinearHead = Linear &
  ({ kind: LinearKind; calibration?: Calibration } | { kind: "cox"; logHazard: Steps })

/** Fits one head per penalty on the given rows; the scaling is taken from these rows alone. */
export function fitHeads(
  problem: Problem,
  rows: Uint32Array,
  penalties: number[],
  tolerance = finalTolerance,
): (LinearHead & Fitted)[] {
  const { table, target, outputs } = problem
  const scaling = scalingOf(table, rows)
  // A Cox head answers with one number, whatever it is judged by.
  const width = problem.kind === "cox" ? 1 : outputs
  const design = standardise(table, rows, scaling, width)
  const y = Float64Array.from(rows, (row) => target[row])
  if (problem.kind === "cox") {
    const event = Uint8Array.from(rows, (row) => problem.event[row])
    return inRowSpace(design, width, (d) => fitCox(d, y, event, penalties, tolerance)).map((fitted) => {
      design.weights.set(fitted.weights)
      design.score(0, design.rows)
      const risk = design.scores.slice(0, design.rows)
      return { kind: "cox", ...scaling, ...fitted, logHazard: logBreslow(y, event, risk) }
    })
  }
  const { kind } = problem
  const fits = {
    logistic: () => inRowSpace(design, width, (d) => fitLogistic(d, y, penalties, tolerance)),
    softmax: () => inRowSpace(design, width, (d) => fitSoftmax(d, y, outputs, penalties, tolerance)),
    ridge: () => fitRidge(design, y, penalties),
  }
  return fits[kind]().map((fitted) => ({ kind, ...scaling, ...fitted }))
}

/** What the weights make of one row of numbers: no calibration, no link. */
export function scoresOf(head: LinearHead, x: Float32Array): Float64Array {
  const columns = head.mean.length
  const z = new Float64Array(columns)
  for (let c = 0; c < columns; c++) z[c] = (x[c] - head.mean[c]) / head.scale[c]
  return head.intercept.map((b, k) => b + dot(head.weights, k * columns, z, 0, columns))
}

/**
 * The head's answer for one row of numbers: [probability of the second class], [of each class], [value], or [risk]:
 * the log of the hazard's ratio to that of the mean training row. Probabilities are calibrated if the head is.
 */
export function applyLinear(head: LinearHead, x: Float32Array): Float64Array {
  const scores = scoresOf(head, x)
  return linked(
    head.kind,
    head.kind !== "cox" && head.calibration ? calibrated(head.calibration, scores) : scores,
  )
}

/** The answer that scores stand for; may write over them. */
export function linked(kind: LinearHead["kind"], scores: Float64Array): Float64Array {
  if (kind === "softmax") softmax(scores)
  return kind === "logistic" ? scores.map(sigmoid) : scores
}

/**
 * The probability that a series of this risk has had no event up to and at a time: exp(−H0(t) · e^risk). Meant for times
 * up to the longest that the head was fitted on, where the hazard is known.
 */
export function survivalAt(logHazard: Steps, risk: number, time: number): number {
  // The steps lie at float32 times.
  return Math.exp(-Math.exp(valueAt(logHazard, Math.fround(time)) + risk))
}
