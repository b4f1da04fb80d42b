import { dot } from "./blas.ts"
import { type Scaling, scalingOf, standardise, type Table } from "./design.ts"
import { type Fitted, finalTolerance } from "./fitted.ts"
import { fitLogistic, sigmoid } from "./logistic.ts"
import { fitRidge } from "./ridge.ts"
import { inRowSpace } from "./row-space.ts"
import { fitSoftmax, softmax } from "./softmax.ts"

export type LinearKind = "logistic" | "softmax" | "ridge"

/** A linear head on pooled features: the scaling of its training rows, then weights and intercepts. */
export interface LinearHead extends Scaling {
  kind: LinearKind
  /** On standardised columns, [outputs, columns] row-major. */
  weights: Float64Array
  intercept: Float64Array
}

/** What is to be fitted: a class number (from 0, every one present) or a value for each row of the table. */
export interface Problem {
  kind: LinearKind
  table: Table
  target: Float64Array
  /** Numbers a head answers with: 1 for logistic and ridge, the number of classes for softmax. */
  outputs: number
}

/** Fits one head per penalty on the given rows; the scaling is taken from these rows alone. */
export function fitHeads(
  { kind, table, target, outputs }: Problem,
  rows: Uint32Array,
  penalties: number[],
  tolerance = finalTolerance,
): (LinearHead & Fitted)[] {
  const scaling = scalingOf(table, rows)
  const design = standardise(table, rows, scaling)
  const y = Float64Array.from(rows, (row) => target[row])
  const fits = {
    logistic: () => inRowSpace(design, (d) => fitLogistic(d, y, penalties, tolerance)),
    softmax: () => inRowSpace(design, (d) => fitSoftmax(d, y, outputs, penalties, tolerance)),
    ridge: () => fitRidge(design, y, penalties),
  }
  return fits[kind]().map((fitted) => ({ kind, ...scaling, ...fitted }))
}

/** The head's answer for one row of numbers: [probability of the second class], [of each class], or [value]. */
export function applyHead(head: LinearHead, x: Float32Array): Float64Array {
  const columns = head.mean.length
  const z = new Float64Array(columns)
  for (let c = 0; c < columns; c++) z[c] = (x[c] - head.mean[c]) / head.scale[c]
  const output = head.intercept.map((b, k) => b + dot(head.weights, k * columns, z, 0, columns))
  if (head.kind === "softmax") softmax(output)
  return head.kind === "logistic" ? output.map(sigmoid) : output
}
