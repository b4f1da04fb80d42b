import { axpy, dot, gram } from "./blas.ts"
import { factor, solve } from "./cholesky.ts"
import type { Design } from "./design.ts"

/** Lower half of ZZᵀ where there are no more rows than columns (`dual`), of ZᵀZ otherwise. */
export interface SmallGram {
  dual: boolean
  size: number
  products: Float64Array
}

export function smallGram(design: Design): SmallGram {
  const { z, rows, columns } = design
  if (rows <= columns) return { dual: true, size: rows, products: gram(z, rows, columns) }
  return { dual: false, size: columns, products: gram(transpose(design), columns, rows) }
}

/**
 * The Hessian of a logistic loss is near curvature · ZᵀZ + penalty · I, and its inverse is what L-BFGS lacks where
 * columns are correlated, as features are. The products are made once for all penalties; from more than four
 * rows per column only a part of the rows goes in, which is near enough.
 */
export function preconditioner(design: Design, curvature: number) {
  const part = every(Math.ceil(design.rows / (4 * design.columns)), design)
  const { dual, size, products } = smallGram(part)
  const weight = (curvature * design.rows) / part.rows

  /** In place of g: (weight · ZᵀZ + penalty · I)⁻¹ g, for the `columns` numbers of g from `at` on. */
  return (penalty: number): ((g: Float64Array, at?: number) => void) => {
    const l = products.slice()
    factor(l, size, penalty / weight)
    return (vector, at = 0) => {
      const g = vector.subarray(at, at + design.columns)
      if (dual) {
        // Woodbury: (weight · ZᵀZ + penalty · I)⁻¹ = (I − Zᵀ (ZZᵀ + penalty / weight · I)⁻¹ Z) / penalty
        const inner = times(part, g)
        solve(l, size, inner)
        const outer = transposedTimes(part, inner)
        for (let c = 0; c < g.length; c++) g[c] = (g[c] - outer[c]) / penalty
      } else {
        solve(l, size, g)
        for (let c = 0; c < g.length; c++) g[c] /= weight
      }
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

/** Z v, [rows]. */
function times({ z, rows, columns }: Design, v: Float64Array): Float64Array {
  return Float64Array.from({ length: rows }, (_, r) => dot(z, r * columns, v, 0, columns))
}

/** Zᵀ v, [columns]. */
export function transposedTimes({ z, rows, columns }: Design, v: Float64Array): Float64Array {
  const product = new Float64Array(columns)
  for (let r = 0; r < rows; r++) axpy(v[r], z, r * columns, product, 0, columns)
  return product
}

function transpose({ z, rows, columns }: Design): Float64Array {
  const t = new Float64Array(z.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) t[c * rows + r] = z[r * columns + c]
  return t
}
