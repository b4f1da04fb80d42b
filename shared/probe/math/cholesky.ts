import { axpy, dot } from "./blas.ts"

/** Adds `shift` to the diagonal of a symmetric [n, n] matrix and replaces its lower half by its Cholesky factor L. */
export function factor(m: Float64Array, n: number, shift: number): void {
  for (let i = 0; i < n; i++) {
    m[i * n + i] += shift
    for (let j = 0; j < i; j++) m[i * n + j] = (m[i * n + j] - dot(m, i * n, m, j * n, j)) / m[j * n + j]
    m[i * n + i] = Math.sqrt(m[i * n + i] - dot(m, i * n, m, i * n, i))
  }
}

/** Solves L Lᵀ x = b, in place of `b`. */
export function solve(l: Float64Array, n: number, b: Float64Array): void {
  for (let i = 0; i < n; i++) b[i] = (b[i] - dot(l, i * n, b, 0, i)) / l[i * n + i]
  solveTransposed(l, n, b)
}

/** Solves Lᵀ x = b, in place of `b`. */
export function solveTransposed(l: Float64Array, n: number, b: Float64Array): void {
  for (let i = n - 1; i >= 0; i--) {
    b[i] /= l[i * n + i]
    axpy(-b[i], l, i * n, b, 0, i)
  }
}
