import { describe, expect, test } from "vitest"
import { applyHead } from "#shared/probe/head/head.ts"
import { fitHeads } from "#shared/probe/head/linear.ts"
import type { LinearKind, Problem } from "#shared/probe/head/problem.ts"
import { prng } from "#shared/probe/math/prng.ts"
import golden from "./scikit-learn.json" with { type: "json" }

function problem(
  kind: LinearKind,
  { x, y, columns }: { x: number[]; y: number[]; columns: number },
): Problem {
  return {
    kind,
    table: { values: Float32Array.from(x), rows: y.length, columns },
    target: Float64Array.from(y),
    outputs: kind === "softmax" ? new Set(y).size : 1,
  }
}
const everyRow = ({ table }: Problem) => Uint32Array.from({ length: table.rows }, (_, i) => i)

// Coefficients on standardised columns, from the version and by the calls that scikit-learn.json names.
describe(`coefficients of ${golden.source}`, () => {
  const cases = [
    ["logistic, more rows than columns", "logistic", golden.logistic],
    ["logistic, fewer rows than columns", "logistic", golden.logisticWide],
    ["softmax, more rows than columns", "softmax", golden.softmax],
    ["softmax, fewer rows than columns", "softmax", golden.softmaxWide],
    ["ridge, more rows than columns", "ridge", golden.ridge],
    ["ridge, fewer rows than columns", "ridge", golden.ridgeWide],
  ] as const
  test.each(cases)("%s, to 1e-4 at each penalty", (_, kind, data) => {
    const ours = problem(kind, data)
    const penalties = data.fits.map((fit) => fit.penalty)
    const heads = fitHeads(ours, everyRow(ours), penalties)
    for (const [i, fit] of data.fits.entries()) {
      expect(heads[i].converged).toBe(true)
      expect(heads[i].weights.length).toBe(fit.weights.length)
      for (const [j, w] of fit.weights.entries()) {
        expect(Math.abs(heads[i].weights[j] - w)).toBeLessThanOrEqual(1e-4)
      }
      for (const [j, b] of fit.intercept.entries()) {
        expect(Math.abs(heads[i].intercept[j] - b)).toBeLessThanOrEqual(1e-4)
      }
    }
  })
})

/** Rows around ±`distance` along the first of many correlated columns, classes in turn. */
function clouds(rows: number, columns: number, classes: number, distance: number): Problem {
  const random = prng(11)
  const values = new Float32Array(rows * columns)
  for (let r = 0; r < rows; r++) {
    const common = random()
    for (let c = 0; c < columns; c++) values[r * columns + c] = random() + common
    values[r * columns + (r % classes)] += distance
  }
  const target = Float64Array.from({ length: rows }, (_, r) => r % classes)
  const kind = classes === 2 ? "logistic" : "softmax"
  return { kind, table: { values, rows, columns }, target, outputs: classes === 2 ? 1 : classes }
}

describe("heads", () => {
  test.each([
    ["two classes, fewer rows than columns", clouds(20, 40, 2, 50)],
    ["two classes, more rows", clouds(60, 8, 2, 50)],
    ["two classes, so many rows that a part preconditions", clouds(100, 4, 2, 50)],
    ["four classes", clouds(40, 12, 4, 50)],
  ])("perfectly separable data have a finite solution: %s", (_, separable) => {
    const heads = fitHeads(separable, everyRow(separable), [1e-3, 1, 100])
    for (const head of heads) {
      expect(head.converged).toBe(true)
      expect(head.weights.every(Number.isFinite)).toBe(true)
    }
    const size = (i: number) => Math.hypot(...heads[i].weights)
    expect(size(0)).toBeGreaterThan(size(1))
    expect(size(1)).toBeGreaterThan(size(2))
  })

  test("a constant column has no weight and disturbs nothing, whatever its value", () => {
    const plain = clouds(30, 3, 2, 1)
    const values = new Float32Array(30 * 4)
    for (let r = 0; r < 30; r++) {
      values.set(plain.table.values.subarray(r * 3, r * 3 + 3), r * 4)
      values[r * 4 + 3] = 1e7 + 1 / 3
    }
    const padded = { ...plain, table: { values, rows: 30, columns: 4 } }
    const [without] = fitHeads(plain, everyRow(plain), [1])
    const [head] = fitHeads(padded, everyRow(padded), [1])
    expect(head.weights[3]).toBe(0)
    for (let c = 0; c < 3; c++) expect(head.weights[c]).toBeCloseTo(without.weights[c], 5)
    const elsewhere = Float32Array.of(...values.subarray(0, 3), -5e8)
    expect(applyHead(head, elsewhere)).toEqual(applyHead(head, values.subarray(0, 4)))
  })

  test("only the given rows are looked at: others may hold anything", () => {
    const clean = clouds(30, 5, 2, 1)
    const rows = Uint32Array.from({ length: 20 }, (_, i) => i)
    const soiled = {
      ...clean,
      table: { ...clean.table, values: clean.table.values.slice().fill(1e9, 20 * 5) },
    }
    soiled.target = clean.target.slice().fill(Number.NaN, 20)
    expect(fitHeads(soiled, rows, [1])).toEqual(fitHeads(clean, rows, [1]))
  })

  test("probabilities of a softmax head add up to one, even at scores of thousands", () => {
    const far = clouds(30, 6, 3, 1)
    const [head] = fitHeads(far, everyRow(far), [1])
    const output = applyHead(head, Float32Array.of(1e4, -1e4, 2e4, 0, 0, 0))
    expect(output.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12)
  })
})
