import { axpy, dot } from "./blas.ts"
import { type Matrix, matrix } from "./matrix.ts"

/**
 * The Cholesky factor L, zeros above its diagonal, of a symmetric matrix with zeros above it, too, and `shift` added to it.
 * @param outputs that L is to be multiplied by
 */
export function factorOf({ values, rows }: Matrix, shift: number, outputs = 1): Matrix {
  const l = matrix(rows, rows, outputs)
  l.values.set(values)
  const { values: m, stride } = l
  for (let i = 0; i < rows; i++) {
    const at = i * stride
    for (let block = 0; block < i; block += 4) {
      // What the numbers before the block take away; those within it one by one.
      const before = l.four(block, i, block)
      for (let j = block; j < Math.min(block + 4, i); j++) {
        let sum = before[j - block]
        for (let t = block; t < j; t++) sum += m[at + t] * m[j * stride + t]
        m[at + j] = (m[at + j] - sum) / m[j * stride + j]
      }
    }
    m[at + i] = Math.sqrt(m[at + i] + shift - dot(m, at, m, at, i))
  }
  return l
}

/** Solves L Lᵀ x = b, in place of `b`. */
export function solve(l: Matrix, b: Float64Array): void {
  const { values, rows, stride } = l
  for (let i = 0; i < rows; i++) b[i] = (b[i] - dot(values, i * stride, b, 0, i)) / values[i * stride + i]
  solveTransposed(l, b)
}

/** Solves Lᵀ x = b, in place of `b`. */
export function solveTransposed({ values, rows, stride }: Matrix, b: Float64Array): void {
  for (let i = rows - 1; i >= 0; i--) {
    b[i] /= values[i * stride + i]
    axpy(-b[i], values, i * stride, b, 0, i)
  }
}
