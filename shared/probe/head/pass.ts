import type { Design } from "./design.ts"

/**
 * One pass of a loss over the rows, block by block while a block is in the cache: scores by the weights of x, what
 * `turn` makes of them in place, which is the derivative of each row's loss by its scores, and the gradient of their sum.
 * @param x weights, [outputs, columns], then one intercept per output, which `turn` adds to scores itself
 * @param turn returns the loss of rows from `from` to `to`
 */
export function pass(
  design: Design,
  x: Float64Array,
  gradient: Float64Array,
  turn: (from: number, to: number) => number,
): number {
  const { rows, columns, stride, weights, scores, scoreStride, block } = design
  const outputs = weights.length / stride
  for (let k = 0; k < outputs; k++) weights.set(x.subarray(k * columns, (k + 1) * columns), k * stride)
  design.gradient.fill(0)
  gradient.fill(0)
  let loss = 0
  for (let from = 0; from < rows; from += block) {
    const to = Math.min(from + block, rows)
    design.score(from, to)
    loss += turn(from, to)
    design.collect(from, to)
    for (let k = 0; k < outputs; k++) {
      for (let r = from; r < to; r++) gradient[outputs * columns + k] += scores[k * scoreStride + r]
    }
  }
  for (let k = 0; k < outputs; k++) {
    gradient.set(design.gradient.subarray(k * stride, k * stride + columns), k * columns)
  }
  return loss
}
