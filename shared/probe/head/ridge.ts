import { factorOf, solve } from "../math/cholesky.ts"
import { gramOfColumns, gramOfRows } from "../math/gram.ts"
import type { Design } from "./design.ts"
import type { Fitted } from "./fitted.ts"
import { transposedTimes } from "./normal.ts"

/**
 * Ridge regression for each penalty: minimises ‖y − Zw − b‖² + penalty · ‖w‖², the intercept unpenalised:
 * scikit-learn's `Ridge(alpha=penalty)`. Solved exactly through a Cholesky factor of the smaller of ZᵀZ and ZZᵀ.
 * The columns of the design have mean zero, as `standardise` makes them over its own rows, so b is the mean of y.
 */
export function fitRidge(design: Design, target: Float64Array, penalties: number[]): Fitted[] {
  const { rows, columns } = design
  const mean = target.reduce((sum, t) => sum + t, 0) / rows
  const centred = target.map((t) => t - mean)
  // w = (ZᵀZ + penalty · I)⁻¹ Zᵀ y = Zᵀ (ZZᵀ + penalty · I)⁻¹ y
  const dual = rows <= columns
  const products = dual ? gramOfRows(design) : gramOfColumns(design)
  const right = dual ? centred : transposedTimes(design, centred)

  return penalties.map((penalty) => {
    const solution = right.slice()
    solve(factorOf(products, penalty), solution)
    const weights = dual ? transposedTimes(design, solution) : solution
    return { weights, intercept: Float64Array.of(mean), converged: weights.every(Number.isFinite) }
  })
}
