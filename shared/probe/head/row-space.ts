import { factorOf, solveTransposed } from "../math/cholesky.ts"
import { gramOfRows } from "../math/gram.ts"
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
export function inRowSpace(design: Design, outputs: number, fit: (design: Design) => Fitted[]): Fitted[] {
  const { rows, columns } = design
  if (rows >= columns) return fit(design)
  const products = gramOfRows(design)
  let trace = 0
  for (let i = 0; i < rows; i++) trace += products.values[i * products.stride + i]
  // Every column constant: any positive number keeps the factor finite, and the weights come out as zero.
  const l = factorOf(products, (jitter * trace) / rows || 1, outputs)

  return fit(l).map((fitted) => {
    const v = fitted.weights.slice()
    for (let k = 0; k < outputs; k++) solveTransposed(l, v.subarray(k * rows, (k + 1) * rows))
    return { ...fitted, weights: transposedTimes(design, v) }
  })
}
