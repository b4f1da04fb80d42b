import { describe, expect, test } from "vitest"
import { prng } from "#shared/probe/math/prng.ts"
import { evaluate } from "#shared/probe/measure/evaluate.ts"
import { halfWidth, heldOutHalfWidths, intervalMetrics } from "#shared/probe/measure/prediction-interval.ts"
import type { Study } from "#shared/probe/study/rows.ts"

const own = (rows: number) => Uint32Array.from({ length: rows }, (_, i) => i)
const f64 = (values: number[]) => Float64Array.from(values)

describe("half widths", () => {
  test("are the ⌈0.9 (n + 1)⌉-th smallest residual, and there are none for fewer than nine patients", () => {
    const nine = f64([5, 1, 9, 3, 7, 2, 8, 4, 6])
    expect(halfWidth(nine, own(9))).toBe(9)
    expect(halfWidth(nine.subarray(0, 8), own(8))).toBeNull()
    const hundred = Float64Array.from({ length: 100 }, (_, i) => (37 * i) % 101)
    const sorted = [...hundred].sort((a, b) => a - b)
    // 0.9 · 101 = 90.9, so the 91st.
    expect(halfWidth(hundred, own(100))).toBe(sorted[90])
  })

  test("weigh patients the same however many series they have", () => {
    // Nineteen patients with an error of 1 in one series, one with 5 in fifty: 0.9 · 21 = 18.9 patients' worth.
    const residual = f64([...new Array(19).fill(1), ...new Array(50).fill(5)])
    const group = Uint32Array.from(residual, (_, i) => Math.min(i, 19))
    expect(halfWidth(residual, group)).toBe(1)
    expect(halfWidth(residual, own(69))).toBe(5)
    // Twenty patients with 1 in one series and 3 in the other: the ones are ten patients' worth, 18.9 lie in the threes.
    const halves = f64([...new Array(20).fill(1), ...new Array(20).fill(3)])
    const pairs = Uint32Array.from(halves, (_, i) => i % 20)
    expect(halfWidth(halves, pairs)).toBe(3)
  })

  test("of a fold come from the other folds only", () => {
    const residual = Float64Array.from({ length: 40 }, (_, i) => (i < 20 ? 1 : 2))
    const fold = Uint8Array.from(residual, (_, i) => (i < 20 ? 0 : 1))
    const half = heldOutHalfWidths(residual, own(40), fold)!
    expect([...new Set(half.subarray(0, 20))]).toEqual([2])
    expect([...new Set(half.subarray(20))]).toEqual([1])
    const { "coverage-90": coverage, "width-90": width } = intervalMetrics(residual, half)
    expect(coverage()).toBe(0.5)
    expect(width()).toBe(3)
    expect(heldOutHalfWidths(residual.subarray(15, 25), own(10), fold.subarray(15, 25))).toBeUndefined()
  })
})

/** One value, linear in the first column and with noise; `rows` patients. */
function study(rows: number, seed: number): Study {
  const random = prng(seed)
  const values = Float32Array.from({ length: rows * 4 }, () => 2 * random() - 1)
  const target = Float64Array.from(
    { length: rows },
    (_, row) => 10 * values[row * 4] + 4 * (random() + random() - 1),
  )
  return {
    kind: "ridge",
    table: { values, rows, columns: 4 },
    target,
    outputs: 1,
    group: own(rows),
    stratum: Uint32Array.from(target, (t) => Math.min(4, Math.max(0, Math.floor((t + 10) / 4)))),
  }
}

test("intervals hold for nine of ten new rows, as their own honest coverage says", async () => {
  const options = { folds: 5, seed: 0, method: { kind: "linear", penalty: 1 } as const }
  const { metrics, baseline } = await evaluate(study(400, 2), options)
  const value = Object.fromEntries(metrics.map(({ name, value }) => [name, value]))
  // Of 400: standard deviation 1.5 %.
  expect(value["coverage-90"]).toBeGreaterThan(0.85)
  expect(value["coverage-90"]).toBeLessThan(0.95)
  // |error| of a triangle of half width 4 is at most 4 (1 − √0.1) = 2.735 in nine of ten.
  expect(value["width-90"]).toBeGreaterThan(4.7)
  expect(value["width-90"]).toBeLessThan(6.2)
  const trivial = Object.fromEntries(baseline.map(({ name, value }) => [name, value]))
  expect(trivial["width-90"]).toBeGreaterThan(2 * value["width-90"])
  const few = await evaluate(study(8, 2), options)
  expect(few.metrics.map(({ name }) => name)).toEqual(["mae", "rmse", "r2"])
})
