import { axpy } from "../math/blas.ts"
import { minimize } from "../math/lbfgs.ts"
import type { Design } from "./design.ts"
import { alongPenalties, type Fitted, finalTolerance } from "./fitted.ts"
import { preconditioner } from "./normal.ts"
import { pass } from "./pass.ts"

/**
 * Binary logistic regression for each penalty: minimises Σ log-loss + penalty/2 · ‖w‖², the intercept
 * unpenalised: scikit-learn's `LogisticRegression(C=1/penalty)`. `target` is 0 or 1 per row, both present.
 */
export function fitLogistic(
  design: Design,
  target: Float64Array,
  penalties: number[],
  tolerance = finalTolerance,
): Fitted[] {
  const { rows, columns, scores } = design
  const share = target.reduce((sum, t) => sum + t, 0) / rows
  const nearInverse = preconditioner(design, share * (1 - share))

  return alongPenalties(penalties, (penalty, start) => {
    const x0 = new Float64Array(columns + 1)
    if (start) x0.set(start.weights)
    x0[columns] = start ? start.intercept[0] : Math.log(share / (1 - share))

    const objective = (x: Float64Array, gradient: Float64Array): number => {
      let loss = pass(design, x, gradient, (from, to) => {
        let sum = 0
        for (let r = from; r < to; r++) {
          const score = scores[r] + x[columns]
          sum += softplus(score) - target[r] * score
          scores[r] = sigmoid(score) - target[r]
        }
        return sum
      })
      for (let c = 0; c < columns; c++) loss += (penalty / 2) * x[c] * x[c]
      axpy(penalty, x, 0, gradient, 0, columns)
      for (let i = 0; i < gradient.length; i++) gradient[i] /= rows
      return loss / rows
    }

    const weightsNearInverse = nearInverse(penalty)
    const precondition = (g: Float64Array) => {
      weightsNearInverse(g)
      for (let c = 0; c < columns; c++) g[c] *= rows
      g[columns] /= share * (1 - share)
    }
    const { x, converged } = minimize(objective, x0, { tolerance, precondition })
    return { weights: x.slice(0, columns), intercept: x.slice(columns), converged }
  })
}

export function sigmoid(score: number): number {
  return 1 / (1 + Math.exp(-score))
}

/** log(1 + e^score) without overflow. */
export function softplus(score: number): number {
  return Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score)))
}
