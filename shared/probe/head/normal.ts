import { axpy, gram } from "../math/blas.ts"
import { factor, solve } from "../math/cholesky.ts"
import type { Design } from "./design.ts"

/** Zᵀ v, [columns]. */
export function transposedTimes({ z, rows, columns }: Design, v: Float64Array): Float64Array {
  const product = new Float64Array(columns)
  for (let r = 0; r < rows; r++) axpy(v[r], z, r * columns, product, 0, columns)
  return product
}

/** Lower half of ZᵀZ, [columns, columns]. */
export function normalMatrix({ z, rows, columns }: Design): Float64Array {
  const t = new Float64Array(z.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) t[c * rows + r] = z[r * columns + c]
  return gram(t, columns, rows)
}

/** In place, for the `columns` numbers of g from `at` on. */
export type NearInverse = (g: Float64Array, at?: number) => void

/**
 * (curvature · ZᵀZ + penalty · I)⁻¹ for each penalty: near the inverse Hessian of a logistic loss, which is what
 * L-BFGS lacks where columns are correlated, as features are. ZᵀZ is made once for all penalties; from more than
 * four rows per column only a part of the rows goes in, which is near enough.
 */
export function preconditioner(design: Design, curvature: number): (penalty: number) => NearInverse {
  const { columns } = design
  const part = every(Math.ceil(design.rows / (4 * columns)), design)
  const normal = normalMatrix(part)
  const weight = (curvature * design.rows) / part.rows
  return (penalty) => {
    const l = normal.slice()
    factor(l, columns, penalty / weight)
    return (vector, at = 0) => {
      const g = vector.subarray(at, at + columns)
      solve(l, columns, g)
      for (let c = 0; c < columns; c++) g[c] /= weight
    }
  }
}

/** Every `stride`-th row. */
function every(stride: number, design: Design): Design {
  if (stride === 1) return design
  const { z, columns } = design
  const rows = Math.ceil(design.rows / stride)
  const kept = new Float64Array(rows * columns)
  for (let r = 0; r < rows; r++) {
    kept.set(z.subarray(r * stride * columns, (r * stride + 1) * columns), r * columns)
  }
  return { z: kept, rows, columns }
}
