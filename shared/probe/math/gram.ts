import { openProducts } from "#shared/kernel/products.ts"
import { type Matrix, matrix } from "./matrix.ts"

/** Numbers of each vector at a time: they stay in the cache while the products of all vectors with each other are made. */
const slab = 256

/** Lower half of MMᵀ: the product of every row with every other, [rows, rows]; zeros above. */
export function gramOfRows({ values, rows, columns, stride }: Matrix): Matrix {
  return gram(rows, columns, (numbers, from, to) => {
    for (let r = 0; r < rows; r++) {
      numbers.set(values.subarray(r * stride + from, r * stride + to), r * slab)
    }
  })
}

/** Lower half of MᵀM, of every `step`-th row: the product of every column with every other, [columns, columns]; zeros above. */
export function gramOfColumns({ values, rows, columns, stride }: Matrix, step = 1): Matrix {
  return gram(columns, Math.ceil(rows / step), (numbers, from, to) => {
    for (let t = from; t < to; t++) {
      const row = t * step * stride
      for (let c = 0; c < columns; c++) numbers[c * slab + t - from] = values[row + c]
    }
  })
}

/** @param fill writes numbers `from` to `to` of every vector, each vector's at a multiple of `slab` */
function gram(
  count: number,
  length: number,
  fill: (numbers: Float64Array, from: number, to: number) => void,
): Matrix {
  const padded = Math.ceil(count / 4) * 4
  const out = padded * slab
  const kernel = openProducts(out + padded * padded)
  const { numbers } = kernel
  for (let from = 0; from < length; from += slab) {
    // Where the last slab is not full, what the one before left must not count.
    if (from + slab > length) numbers.fill(0, 0, out)
    fill(numbers, from, Math.min(from + slab, length))
    kernel.gram(0, padded, slab, out, padded)
  }
  const products = matrix(count, count)
  for (let i = 0; i < count; i++) {
    const at = out + i * padded
    products.values.set(numbers.subarray(at, at + i + 1), i * products.stride)
  }
  return products
}
