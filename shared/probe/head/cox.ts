import { axpy, dot } from "../math/blas.ts"
import { minimize } from "../math/lbfgs.ts"
import type { Design } from "./design.ts"
import { alongPenalties, type Fitted, finalTolerance } from "./fitted.ts"
import { preconditioner, transposedTimes } from "./normal.ts"
import { partialLikelihood, riskSets } from "./partial-likelihood.ts"

/**
 * Cox's proportional hazards for each penalty: minimises −log partial likelihood + penalty/2 · ‖w‖², ties after
 * Efron: at no penalty, statsmodels' `PHReg(ties="efron")`. The likelihood is a sum over events, as logistic's
 * is one over rows. Only differences of scores count, so the intercept is 0.
 * @param time > 0 per row, in any unit
 * @param event 1 where the time is that of the event, 0 where it is censored; at least one event
 */
export function fitCox(
  design: Design,
  time: Float64Array,
  event: Uint8Array,
  penalties: number[],
  tolerance = finalTolerance,
): Fitted[] {
  const { rows, columns, scores } = design
  const sets = riskSets(time)
  const share = event.reduce((sum, e) => sum + e, 0) / rows
  // Each event adds the covariance of the columns among those at risk, which is about that of all rows.
  const nearInverse = preconditioner(design, share)
  const score = scores.subarray(0, rows)
  const residual = new Float64Array(rows)

  return alongPenalties(penalties, (penalty, start) => {
    const objective = (x: Float64Array, gradient: Float64Array): number => {
      design.weights.set(x)
      design.score(0, rows)
      let loss = partialLikelihood(sets, event, score, residual)
      gradient.set(transposedTimes(design, residual))
      loss += (penalty / 2) * dot(x, 0, x, 0, columns)
      axpy(penalty, x, 0, gradient, 0, columns)
      for (let c = 0; c < columns; c++) gradient[c] /= rows
      return loss / rows
    }

    const weightsNearInverse = nearInverse(penalty)
    const precondition = (g: Float64Array) => {
      weightsNearInverse(g)
      for (let c = 0; c < columns; c++) g[c] *= rows
    }
    const from = start ? start.weights : new Float64Array(columns)
    const { x, converged } = minimize(objective, from, { tolerance, precondition })
    return { weights: x, intercept: Float64Array.of(0), converged }
  })
}
