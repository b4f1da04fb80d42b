import { describe, expect, test } from "vitest"
import { factorOf, solve, solveTransposed } from "#shared/probe/math/cholesky.ts"
import { gramOfColumns, gramOfRows } from "#shared/probe/math/gram.ts"
import { matrix } from "#shared/probe/math/matrix.ts"
import { prng } from "#shared/probe/math/prng.ts"

/** A matrix of numbers from -0.5 to 0.5, and the same as plain rows. */
function made(rows: number, columns: number, outputs = 1) {
  const random = prng(rows + columns)
  const some = (n: number) => Array.from({ length: n }, () => random() - 0.5)
  const plain = Array.from({ length: rows }, () => some(columns))
  const m = matrix(rows, columns, outputs)
  for (const [r, row] of plain.entries()) m.values.set(row, r * m.stride)
  return { m, plain, some }
}
const product = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0)

// Around the four rows and two numbers that the kernel takes at a time, its slabs of 256 and the blocks of a pass.
describe.each([
  [1, 1],
  [2, 3],
  [3, 300],
  [5, 256],
  [7, 4],
  [300, 7],
  [513, 9],
  [64, 65],
])("a matrix of %i × %i", (rows, columns) => {
  test("times weights, and times scores the other way, in blocks, are as summed plainly to 1e-12", () => {
    const { m, plain, some } = made(rows, columns, 3)
    const weights = [some(columns), some(columns), some(columns)]
    for (const [k, w] of weights.entries()) m.weights.set(w, k * m.stride)
    const block = Math.min(m.block, 8)
    m.gradient.fill(0)
    for (let from = 0; from < rows; from += block) {
      const to = Math.min(from + block, rows)
      m.score(from, to)
      m.collect(from, to)
    }
    for (const [k, w] of weights.entries()) {
      const scores = plain.map((row) => product(row, w))
      for (const [r, score] of scores.entries())
        expect(m.scores[k * m.scoreStride + r]).toBeCloseTo(score, 12)
      for (let c = 0; c < columns; c++) {
        const column = plain.map((row) => row[c])
        expect(m.gradient[k * m.stride + c]).toBeCloseTo(product(scores, column), 10)
      }
    }
  })

  test("times itself, by rows, by columns and by columns of some rows, is as summed plainly to 1e-11", () => {
    const { m, plain } = made(rows, columns)
    const columnsOf = (step: number) =>
      Array.from({ length: columns }, (_, c) => plain.filter((_, r) => r % step === 0).map((row) => row[c]))
    for (const [gram, vectors] of [
      [gramOfRows(m), plain],
      [gramOfColumns(m), columnsOf(1)],
      [gramOfColumns(m, 3), columnsOf(3)],
    ] as const) {
      for (let i = 0; i < vectors.length; i++) {
        for (let j = 0; j < vectors.length; j++) {
          const found = gram.values[i * gram.stride + j]
          if (j > i) expect(found).toBe(0)
          else expect(Math.abs(found - product(vectors[i], vectors[j]))).toBeLessThan(1e-11)
        }
      }
    }
  })

  test("and its transpose, plus one on the diagonal, have a factor that solves their system", () => {
    const { m, plain } = made(rows, columns)
    const x = Float64Array.from({ length: rows }, (_, i) => (i % 9) - 1.5)
    const system = plain.map((a, i) => plain.map((b, j) => product(a, b) + (i === j ? 1 : 0)))
    const l = factorOf(gramOfRows(m), 1)
    const b = Float64Array.from(system, (row) => product(row, x))
    solve(l, b)
    for (let i = 0; i < rows; i++) expect(Math.abs(b[i] - x[i])).toBeLessThan(1e-9)
    const c = Float64Array.from({ length: rows }, (_, j) =>
      x.reduce((sum, value, i) => sum + value * l.values[i * l.stride + j], 0),
    )
    solveTransposed(l, c)
    for (let i = 0; i < rows; i++) expect(Math.abs(c[i] - x[i])).toBeLessThan(1e-9)
  })
})

test("a matrix beyond the 4 GiB of a kernel's memory is a fault, before any memory is asked for", () => {
  expect(() => matrix(700_000, 864)).toThrow(
    expect.objectContaining({ kind: "too_large", code: "too-many-labels" }),
  )
})
