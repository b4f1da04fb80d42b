import { axpy } from "../math/blas.ts"
import { minimize } from "../math/lbfgs.ts"
import type { Design } from "./design.ts"
import { alongPenalties, type Fitted, finalTolerance } from "./fitted.ts"
import { preconditioner } from "./normal.ts"
import { pass } from "./pass.ts"

/**
 * Multinomial logistic regression for each penalty: minimises Σ cross-entropy + penalty/2 · Σ ‖w_k‖², the
 * intercepts unpenalised and summing to zero: scikit-learn's `LogisticRegression(C=1/penalty)` for three classes
 * or more. `target` is the class number per row, from 0 to `classes` − 1, each present.
 */
export function fitSoftmax(
  design: Design,
  target: Float64Array,
  classes: number,
  penalties: number[],
  tolerance = finalTolerance,
): Fitted[] {
  const { rows, columns, scores, scoreStride } = design
  const biases = classes * columns
  const shares = new Float64Array(classes)
  for (const k of target) shares[k] += 1 / rows
  const curvature = shares.reduce((sum, share) => sum + share * (1 - share), 0) / classes
  const nearInverse = preconditioner(design, curvature)

  return alongPenalties(penalties, (penalty, start) => {
    const x0 = new Float64Array(biases + classes)
    if (start) x0.set(start.weights)
    x0.set(start ? start.intercept : shares.map(Math.log), biases)

    const ofRow = new Float64Array(classes)
    const objective = (x: Float64Array, gradient: Float64Array): number => {
      let loss = pass(design, x, gradient, (from, to) => {
        let sum = 0
        for (let r = from; r < to; r++) {
          for (let k = 0; k < classes; k++) ofRow[k] = scores[k * scoreStride + r] + x[biases + k]
          sum -= ofRow[target[r]]
          sum += softmax(ofRow)
          ofRow[target[r]] -= 1
          for (let k = 0; k < classes; k++) scores[k * scoreStride + r] = ofRow[k]
        }
        return sum
      })
      for (let i = 0; i < biases; i++) loss += (penalty / 2) * x[i] * x[i]
      axpy(penalty, x, 0, gradient, 0, biases)
      for (let i = 0; i < gradient.length; i++) gradient[i] /= rows
      return loss / rows
    }

    const weightsNearInverse = nearInverse(penalty)
    const precondition = (g: Float64Array) => {
      for (let k = 0; k < classes; k++) weightsNearInverse(g, k * columns)
      for (let i = 0; i < biases; i++) g[i] *= rows
      for (let k = 0; k < classes; k++) g[biases + k] /= curvature
    }
    const { x, converged } = minimize(objective, x0, { tolerance, precondition })
    const intercept = x.slice(biases)
    const mean = intercept.reduce((sum, b) => sum + b, 0) / classes
    // A shift of every intercept changes no probability, and the data do not fix it.
    return { weights: x.slice(0, biases), intercept: intercept.map((b) => b - mean), converged }
  })
}

/** Turns scores into probabilities, in place; returns the log of the sum of their exponentials. */
export function softmax(scores: Float64Array): number {
  let max = Number.NEGATIVE_INFINITY
  for (const score of scores) max = Math.max(max, score)
  let sum = 0
  for (let k = 0; k < scores.length; k++) {
    scores[k] = Math.exp(scores[k] - max)
    sum += scores[k]
  }
  for (let k = 0; k < scores.length; k++) scores[k] /= sum
  return max + Math.log(sum)
}
