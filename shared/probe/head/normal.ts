import { factorOf, solve } from "../math/cholesky.ts"
import { gramOfColumns } from "../math/gram.ts"
import type { Design } from "./design.ts"

/** V Z for V of [outputs, rows], as many outputs as the design is for: [outputs, columns]. */
export function transposedTimes(design: Design, v: Float64Array): Float64Array {
  const { rows, columns, stride, scores, scoreStride, gradient } = design
  const outputs = v.length / rows
  for (let k = 0; k < outputs; k++) scores.set(v.subarray(k * rows, (k + 1) * rows), k * scoreStride)
  gradient.fill(0)
  design.collect(0, rows)
  const product = new Float64Array(outputs * columns)
  for (let k = 0; k < outputs; k++) {
    product.set(gradient.subarray(k * stride, k * stride + columns), k * columns)
  }
  return product
}

/** In place, for the `columns` numbers of g from `at` on. */
export type NearInverse = (g: Float64Array, at?: number) => void

/** Rows per column that make a matrix near enough: with one, softmax takes twice as many steps; with four, none fewer. */
const enough = 2

/**
 * (curvature · ZᵀZ + penalty · I)⁻¹ for each penalty: near the inverse Hessian of a logistic loss, which is what
 * L-BFGS lacks where columns are correlated, as features are. ZᵀZ is made once for all penalties, and of a part of the
 * rows where they are many.
 */
export function preconditioner(design: Design, curvature: number): (penalty: number) => NearInverse {
  const { rows, columns } = design
  const step = Math.ceil(rows / (enough * columns))
  const normal = gramOfColumns(design, step)
  const weight = (curvature * rows) / Math.ceil(rows / step)
  return (penalty) => {
    const l = factorOf(normal, penalty / weight)
    return (vector, at = 0) => {
      const g = vector.subarray(at, at + columns)
      solve(l, g)
      for (let c = 0; c < columns; c++) g[c] /= weight
    }
  }
}
