import { softmax } from "../head/softmax.ts"
import { minimize } from "../math/lbfgs.ts"

/**
 * The factor for which softmax(factor · scores) gives the targets the greatest likelihood: one over a temperature.
 * @param scores [rows, classes], taken by row
 * @param target the share that `target(row, k)` gives to class k; of each row they add up to 1
 */
export function softmaxScale(
  scores: Float64Array,
  classes: number,
  target: (row: number, k: number) => number,
): number {
  const rows = scores.length / classes
  const p = new Float64Array(classes)
  // In units of the usual score the factor is about 1, whatever the scores' size.
  const size = Math.sqrt(scores.reduce((sum, s) => sum + s * s, 0) / scores.length) || 1
  const objective = ([scaled]: Float64Array, gradient: Float64Array) => {
    const factor = scaled / size
    gradient[0] = 0
    let loss = 0
    for (let r = 0; r < rows; r++) {
      for (let k = 0; k < classes; k++) p[k] = factor * scores[r * classes + k]
      const logSum = softmax(p)
      for (let k = 0; k < classes; k++) {
        const score = scores[r * classes + k]
        const share = target(r, k)
        loss += share * (logSum - factor * score)
        gradient[0] += ((p[k] - share) * score) / size / rows
      }
    }
    return loss / rows
  }
  return minimize(objective, Float64Array.of(size), { tolerance: 1e-10 }).x[0] / size
}
