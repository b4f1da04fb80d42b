import { factor, solve } from "./cholesky.ts"
import type { Design } from "./design.ts"
import type { Fitted } from "./fitted.ts"
import { smallGram, transposedTimes } from "./normal.ts"

/**
 * Ridge regression for each penalty: minimises ‖y − Zw − b‖² + penalty · ‖w‖², the intercept unpenalised:
 * scikit-learn's `Ridge(alpha=penalty)`. Solved exactly through a Cholesky factor of the smaller of ZᵀZ and ZZᵀ.
 * The columns of the design have mean zero, as `standardise` makes them over its own rows, so b is the mean of y.
 */
export function fitRidge(design: Design, target: Float64Array, penalties: number[]): Fitted[] {
  const mean = target.reduce((sum, t) => sum + t, 0) / design.rows
  const centred = target.map((t) => t - mean)
  const { dual, size, products } = smallGram(design)
  const right = dual ? centred : transposedTimes(design, centred)

  return penalties.map((penalty) => {
    const l = products.slice()
    factor(l, size, penalty)
    const solution = right.slice()
    solve(l, size, solution)
    const weights = dual ? transposedTimes(design, solution) : solution
    const converged = weights.every(Number.isFinite)
    return { weights, intercept: Float64Array.of(mean), converged }
  })
}
