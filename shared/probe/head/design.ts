import { type Matrix, matrix } from "../math/matrix.ts"

/** The numbers a head is fitted on: one row per series, row-major. */
export interface Table {
  values: Float32Array
  rows: number
  columns: number
}

/** A column's value v becomes (v − mean) / scale. Always from training rows only. */
export interface Scaling {
  mean: Float64Array
  scale: Float64Array
}

/** Training rows, standardised. */
export type Design = Matrix

/** A column that varies less than its own float32 rounding (2^-23 of its mean) is taken as constant. */
const float32Rounding = 2 ** -23

/** Mean and population standard deviation of each column over `rows`; the scale of a constant column is 1. */
export function scalingOf(table: Table, rows: Uint32Array): Scaling {
  const { mean, deviation } = spreadOf(table, rows)
  return { mean, scale: deviation.map((d) => (d > 0 ? d : 1)) }
}

/** Mean and population standard deviation of each column over `rows`; that of a constant column is 0. */
export function spreadOf(table: Table, rows: Uint32Array): { mean: Float64Array; deviation: Float64Array } {
  const { values, columns } = table
  const mean = new Float64Array(columns)
  const deviation = new Float64Array(columns)
  for (const row of rows) {
    const at = row * columns
    for (let c = 0; c < columns; c++) mean[c] += values[at + c]
  }
  for (let c = 0; c < columns; c++) mean[c] /= rows.length
  for (const row of rows) {
    const at = row * columns
    for (let c = 0; c < columns; c++) deviation[c] += (values[at + c] - mean[c]) ** 2
  }
  for (let c = 0; c < columns; c++) {
    const found = Math.sqrt(deviation[c] / rows.length)
    deviation[c] = found > float32Rounding * Math.abs(mean[c]) ? found : 0
  }
  return { mean, deviation }
}

/**
 * The given rows of the table, standardised, for heads of so many outputs. A column that is constant over them becomes
 * exactly zero.
 */
export function standardise(table: Table, rows: Uint32Array, { mean, scale }: Scaling, outputs = 1): Design {
  const { values, columns } = table
  const design = matrix(rows.length, columns, outputs)
  for (let r = 0; r < rows.length; r++) {
    const from = rows[r] * columns
    const to = r * design.stride
    for (let c = 0; c < columns; c++) {
      const centred = values[from + c] - mean[c]
      const varies = Math.abs(centred) > float32Rounding * Math.abs(mean[c])
      design.values[to + c] = varies ? centred / scale[c] : 0
    }
  }
  return design
}
