import { gram } from "../math/blas.ts"
import { factor, solveTransposed } from "../math/cholesky.ts"
import type { Design } from "./design.ts"
import type { Fitted } from "./fitted.ts"
import { transposedTimes } from "./normal.ts"

/** Of the mean of ZZᵀ's diagonal, added to it: centred rows are dependent, and the factor needs them not to be. */
const jitter = 1e-11

/**
 * Fits in the space that the rows span, when it is smaller than that of the columns. With the weights' length
 * penalised they have no part outside of it, so with ZZᵀ = L Lᵀ the design L, [rows, rows], has the same scores,
 * the same lengths and the same solution, w = Zᵀ L⁻ᵀ v, at a fraction of the work.
 */
export function inRowSpace(design: Design, fit: (design: Design) => Fitted[]): Fitted[] {
  const { z, rows, columns } = design
  if (rows >= columns) return fit(design)
  const l = gram(z, rows, columns)
  let trace = 0
  for (let i = 0; i < rows; i++) trace += l[i * rows + i]
  // Every column constant: any positive number keeps the factor finite, and the weights come out as zero.
  factor(l, rows, (jitter * trace) / rows || 1)

  return fit({ z: l, rows, columns: rows }).map((fitted) => {
    const outputs = fitted.intercept.length
    const weights = new Float64Array(outputs * columns)
    for (let k = 0; k < outputs; k++) {
      const v = fitted.weights.slice(k * rows, (k + 1) * rows)
      solveTransposed(l, rows, v)
      weights.set(transposedTimes(design, v), k * columns)
    }
    return { ...fitted, weights }
  })
}
