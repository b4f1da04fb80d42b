import { dot } from "./blas.ts"
import { fitCox } from "./cox.ts"
import { type Scaling, scalingOf, standardise, type Table } from "./design.ts"
import { type Fitted, finalTolerance } from "./fitted.ts"
import { logBreslow } from "./hazard.ts"
import { fitLogistic, sigmoid } from "./logistic.ts"
import { fitRidge } from "./ridge.ts"
import { inRowSpace } from "./row-space.ts"
import { fitSoftmax, softmax } from "./softmax.ts"
import { type Steps, valueAt } from "./steps.ts"

export type LinearKind = "logistic" | "softmax" | "ridge"

/** A linear head on pooled features: the scaling of its training rows, then weights and intercepts. */
interface Linear extends Scaling {
  /** On standardised columns, [outputs, columns] row-major. */
  weights: Float64Array
  intercept: Float64Array
}

/** A Cox head has the log of the cumulative hazard of a series whose risk is 0, too: the mean of its training rows. */
export type LinearHead = Linear & ({ kind: LinearKind } | { kind: "cox"; logHazard: Steps })

/** What is to be told of each row: a class number (from 0, every one present), a value, or a time. */
export type Goal =
  | {
      kind: LinearKind
      target: Float64Array
      /** Numbers a head answers with: 1 for logistic and ridge, the number of classes for softmax. */
      outputs: number
    }
  | {
      kind: "cox"
      /** Times, above 0. */
      target: Float64Array
      /** 1 where the time is that of the event, 0 where the row was lost from sight. */
      event: Uint8Array
      /** Event times, ascending, at which held-out survival curves are judged. */
      grid: Float64Array
      /** Numbers that are judged of a held-out row: its risk, and its probability of survival at each of those times. */
      outputs: number
    }

export type Problem = Goal & { table: Table }

/** Fits one head per penalty on the given rows; the scaling is taken from these rows alone. */
export function fitHeads(
  problem: Problem,
  rows: Uint32Array,
  penalties: number[],
  tolerance = finalTolerance,
): (LinearHead & Fitted)[] {
  const { table, target, outputs } = problem
  const scaling = scalingOf(table, rows)
  const design = standardise(table, rows, scaling)
  const y = Float64Array.from(rows, (row) => target[row])
  if (problem.kind === "cox") {
    const event = Uint8Array.from(rows, (row) => problem.event[row])
    return inRowSpace(design, (d) => fitCox(d, y, event, penalties, tolerance)).map((fitted) => {
      const risk = Float64Array.from(rows.keys(), (r) =>
        dot(fitted.weights, 0, design.z, r * design.columns, design.columns),
      )
      return { kind: "cox", ...scaling, ...fitted, logHazard: logBreslow(y, event, risk) }
    })
  }
  const { kind } = problem
  const fits = {
    logistic: () => inRowSpace(design, (d) => fitLogistic(d, y, penalties, tolerance)),
    softmax: () => inRowSpace(design, (d) => fitSoftmax(d, y, outputs, penalties, tolerance)),
    ridge: () => fitRidge(design, y, penalties),
  }
  return fits[kind]().map((fitted) => ({ kind, ...scaling, ...fitted }))
}

/**
 * The head's answer for one row of numbers: [probability of the second class], [of each class], [value], or [risk]:
 * the log of the hazard's ratio to that of the mean training row.
 */
export function applyHead(head: LinearHead, x: Float32Array): Float64Array {
  const columns = head.mean.length
  const z = new Float64Array(columns)
  for (let c = 0; c < columns; c++) z[c] = (x[c] - head.mean[c]) / head.scale[c]
  const output = head.intercept.map((b, k) => b + dot(head.weights, k * columns, z, 0, columns))
  if (head.kind === "softmax") softmax(output)
  return head.kind === "logistic" ? output.map(sigmoid) : output
}

/**
 * The probability that a series of this risk has had no event up to and at a time: exp(−H0(t) · e^risk). Meant for times
 * up to the longest that the head was fitted on, where the hazard is known.
 */
export function survivalAt(logHazard: Steps, risk: number, time: number): number {
  // The steps lie at float32 times.
  return Math.exp(-Math.exp(valueAt(logHazard, Math.fround(time)) + risk))
}
