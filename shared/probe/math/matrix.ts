import { Fault } from "#shared/errors.ts"
import { openProducts } from "#shared/kernel/products.ts"

/**
 * A matrix of float64 in the memory of the kernel that multiplies it, with room for what it is multiplied by: twice as
 * fast as loops of our own. Everything is zero at first; what is written to `values`, `weights` or `scores` counts from the next product on.
 */
export interface Matrix {
  rows: number
  columns: number
  /** Numbers from one row to the next: `columns`, and one more, which stays zero, where they are odd. */
  stride: number
  /** [rows, stride] */
  values: Float64Array
  /** [outputs, stride], what rows are multiplied by; numbers beyond `columns` count for nothing. */
  weights: Float64Array
  /** From the numbers of one output to those of the next, in `scores`: `rows`, rounded up to a multiple of four. */
  scoreStride: number
  /** [outputs, scoreStride] */
  scores: Float64Array
  /** [outputs, stride] */
  gradient: Float64Array
  /** Rows at a time that stay in the cache between `score` and `collect`: a multiple of four. */
  block: number
  /** scores = values · weightsᵀ, for rows from `from`, a multiple of four, up to `to`, another or the end. */
  score(from: number, to: number): void
  /** gradient += scores · values, for the same rows. */
  collect(from: number, to: number): void
  /** Of rows `row` to `row + 3` the product with row `other`, by their first `length` numbers, which are even; of rows beyond the last, 0. */
  four(row: number, other: number, length: number): Float64Array
}

/** Bytes of a block: half of a small second-level cache. */
const blockBytes = 2 ** 17

/** What a WebAssembly memory can have, in numbers. */
const mostNumbers = 2 ** 29

/** Of zeros. @throws Fault `too_large` / `too-many-labels` beyond 4 GiB */
export function matrix(rows: number, columns: number, outputs = 1): Matrix {
  const stride = Math.ceil(columns / 2) * 2
  const scoreStride = Math.ceil(rows / 4) * 4
  const weightsAt = 4
  const gradientAt = weightsAt + outputs * stride
  const scoresAt = gradientAt + outputs * stride
  const at = scoresAt + outputs * scoreStride
  if (at + scoreStride * stride > mostNumbers) {
    const message = `${rows} series of ${columns} numbers exceed the 4 GiB that one fit can hold: label fewer of them`
    throw new Fault("too_large", "too-many-labels", message)
  }
  const kernel = openProducts(at + scoreStride * stride)
  const { numbers } = kernel
  const firstFour = numbers.subarray(0, 4)
  const upTo = (to: number) => (to < rows ? to : scoreStride)
  return {
    rows,
    columns,
    stride,
    values: numbers.subarray(at, at + rows * stride),
    weights: numbers.subarray(weightsAt, gradientAt),
    scoreStride,
    scores: numbers.subarray(scoresAt, at),
    gradient: numbers.subarray(gradientAt, scoresAt),
    block: Math.max(4, Math.floor(blockBytes / (8 * stride * 4)) * 4),
    score(from, to) {
      for (let k = 0; k < outputs; k++) {
        const out = scoresAt + k * scoreStride + from
        kernel.times(at + from * stride, upTo(to) - from, stride, stride, weightsAt + k * stride, out)
      }
    },
    collect(from, to) {
      for (let k = 0; k < outputs; k++) {
        const scores = scoresAt + k * scoreStride + from
        kernel.timesTransposed(at + from * stride, upTo(to) - from, stride, scores, gradientAt + k * stride)
      }
    },
    four(row, other, length) {
      kernel.times(at + row * stride, 4, stride, length, at + other * stride, 0)
      return firstFour
    },
  }
}
