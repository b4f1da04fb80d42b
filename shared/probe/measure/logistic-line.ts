import { sigmoid, softplus } from "../head/logistic.ts"
import { minimize } from "../math/lbfgs.ts"

const tolerance = 1e-10

/**
 * The slope and intercept for which sigmoid(slope · score + intercept) gives targets in [0, 1] the greatest
 * likelihood. If all scores are the same, any slope would do: it is 1. Finite where targets lie strictly between 0
 * and 1, or scores of zeros and ones overlap.
 */
export function logisticLine(
  score: Float64Array,
  target: Float64Array,
): { slope: number; intercept: number } {
  const count = score.length
  const centre = score.reduce((sum, s) => sum + s, 0) / count
  const spread = Math.sqrt(score.reduce((sum, s) => sum + (s - centre) ** 2, 0) / count)
  const unit = spread > 1e-12 * Math.abs(centre) ? spread : 1
  // On standardised scores both parameters have about the same curvature.
  const z = score.map((s) => (unit === spread ? (s - centre) / unit : 0))
  const objective = (x: Float64Array, gradient: Float64Array) => {
    gradient.fill(0)
    let loss = 0
    for (let i = 0; i < count; i++) {
      const at = x[0] * z[i] + x[1]
      const residual = sigmoid(at) - target[i]
      loss += softplus(at) - target[i] * at
      gradient[0] += (residual * z[i]) / count
      gradient[1] += residual / count
    }
    return loss / count
  }
  const { x } = minimize(objective, Float64Array.of(unit, centre), { tolerance })
  const slope = x[0] / unit
  return { slope, intercept: x[1] - slope * centre }
}

/** The number to add to every score for the greatest likelihood of the targets. */
export function logisticShift(score: Float64Array, target: Float64Array): number {
  const objective = ([shift]: Float64Array, gradient: Float64Array) => {
    gradient[0] = 0
    let loss = 0
    for (let i = 0; i < score.length; i++) {
      loss += softplus(score[i] + shift) - target[i] * (score[i] + shift)
      gradient[0] += (sigmoid(score[i] + shift) - target[i]) / score.length
    }
    return loss / score.length
  }
  return minimize(objective, Float64Array.of(0), { tolerance }).x[0]
}
