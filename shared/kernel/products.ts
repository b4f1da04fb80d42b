import { openModule } from "./open.ts"

/** `products.wat` says what they do; addresses and strides in bytes. */
interface Exports {
  times(m: number, rows: number, stride: number, length: number, v: number, out: number): void
  timesTransposed(m: number, rows: number, stride: number, v: number, out: number): void
  gram(m: number, rows: number, stride: number, out: number, outStride: number): void
}

/** Numbers in WebAssembly memory, and products of matrices among them. Places and strides count numbers, and are even. */
export interface Products {
  numbers: Float64Array
  /** out[r] = the first `length` numbers of row r · v, for `rows` rows, a multiple of four. */
  times(m: number, rows: number, stride: number, length: number, v: number, out: number): void
  /** out += Σ over r of v[r] · row r, for `rows` rows, a multiple of four, of `stride` numbers. */
  timesTransposed(m: number, rows: number, stride: number, v: number, out: number): void
  /**
   * out[i, j] += row i · row j for j ≤ i, and some above the diagonal; `rows`, a multiple of four, of `stride` numbers,
   * and those of `out` of `outStride`.
   */
  gram(m: number, rows: number, stride: number, out: number, outStride: number): void
}

/** Room for so many numbers, all zero. The kernel trusts its places. @throws RangeError beyond 2²⁹ numbers, 4 GiB */
export function openProducts(count: number): Products {
  const { exports, buffer } = openModule<Exports>("products", 8 * count)
  return {
    numbers: new Float64Array(buffer),
    times: (m, rows, stride, length, v, out) =>
      exports.times(8 * m, rows, 8 * stride, 8 * length, 8 * v, 8 * out),
    timesTransposed: (m, rows, stride, v, out) =>
      exports.timesTransposed(8 * m, rows, 8 * stride, 8 * v, 8 * out),
    gram: (m, rows, stride, out, outStride) => exports.gram(8 * m, rows, 8 * stride, 8 * out, 8 * outStride),
  }
}
