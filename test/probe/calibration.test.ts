import { describe, expect, test } from "vitest"
import { sha256 } from "#shared/ids.ts"
import { decodeHead, encodeHead } from "#shared/probe/head/file.ts"
import { applyHead } from "#shared/probe/head/head.ts"
import { type Problem, rowOf } from "#shared/probe/head/problem.ts"
import { softmax } from "#shared/probe/head/softmax.ts"
import { prng } from "#shared/probe/math/prng.ts"
import { fitCalibration, leastSlope } from "#shared/probe/measure/calibration.ts"
import { heldOut } from "#shared/probe/measure/held-out.ts"
import { learn } from "#shared/probe/measure/learn.ts"
import { reliability } from "#shared/probe/measure/reliability.ts"
import type { Study } from "#shared/probe/study/rows.ts"
import golden from "./independent.json" with { type: "json" }

const f64 = (values: number[]) => Float64Array.from(values)
const { truth, score, probability, classes, logits } = golden.data
const two = (target: number[]): Problem => ({
  kind: "logistic",
  table: { values: new Float32Array(), rows: target.length, columns: 0 },
  target: f64(target),
  outputs: 1,
})

describe(`calibration as ${golden.source} has it`, () => {
  test("Platt's slope and intercept, to 1e-6 of scipy's and 1e-4 of scikit-learn's", () => {
    const { scipy, sklearn } = golden.platt
    const found = fitCalibration(f64(score), f64(truth))
    if (found.method !== "platt") throw new Error("another method")
    expect(Math.abs(found.slope - scipy[0])).toBeLessThan(1e-6)
    expect(Math.abs(found.intercept - scipy[1])).toBeLessThan(1e-6)
    expect(Math.abs(found.slope - sklearn[0])).toBeLessThan(1e-4)
    expect(Math.abs(found.intercept - sklearn[1])).toBeLessThan(1e-4)
  })

  test("the temperature of three classes, to 1e-5", () => {
    const found = fitCalibration(f64(logits), f64(classes))
    if (found.method !== "temperature") throw new Error("another method")
    expect(Math.abs(found.temperature - golden.temperature)).toBeLessThan(1e-5)
  })

  test("slope and intercept of out-of-fold probabilities, to 1e-6; of three classes to 1e-5", () => {
    const found = reliability(two(truth), f64(probability))
    expect(Math.abs(found.slope! - golden.recalibration[0])).toBeLessThan(1e-6)
    expect(Math.abs(found.intercept! - golden.recalibration[1])).toBeLessThan(1e-6)
    const shares = f64(logits)
    for (let row = 0; row < classes.length; row++) softmax(shares.subarray(row * 3, row * 3 + 3))
    const problem: Problem = { ...two(classes), kind: "softmax", outputs: 3 }
    const many = reliability(problem, shares)
    expect(many).toMatchObject({ of: "likeliest class", intercept: null })
    expect(Math.abs(many.slope! - golden.classSlope)).toBeLessThan(1e-5)
  })

  test("bins are about equal, whatever the number of series", () => {
    for (const rows of [11, 60, 99, 326, 1003]) {
      const p = Array.from({ length: rows }, (_, i) => (i + 0.5) / rows)
      const { curve } = reliability(two(p.map((x) => Number(x > 0.5))), f64(p))
      const counts = curve.map(({ count }) => count)
      expect(counts.reduce((sum, n) => sum + n)).toBe(rows)
      expect(counts).toHaveLength(10)
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
    }
  })

  test("the curve of ten equal bins, and the error it adds up to, to 1e-9", () => {
    const { probability, truth, predicted, observed, ece } = golden.curve
    const found = reliability(two(truth), f64(probability))
    expect(found.curve.map(({ count }) => count)).toEqual(new Array(10).fill(6))
    for (const [bin, { predicted: p, observed: o }] of found.curve.entries()) {
      expect(p).toBeCloseTo(predicted[bin], 9)
      expect(o.value).toBeCloseTo(observed[bin], 9)
    }
    expect(found.error).toBeCloseTo(ece, 9)
  })
})

describe("calibration that is hard to fit", () => {
  test("of classes told apart without error is finite, and says that it has seen few", () => {
    const found = fitCalibration(f64([-3, -2, 2, 3]), f64([0, 0, 1, 1]))
    if (found.method !== "platt") throw new Error("another method")
    // Two of two seen are believed to 3 / 4 (Platt's targets): at 2.5 on average, so slope about log(3) / 2.5.
    expect(found.slope).toBeGreaterThan(0.35)
    expect(found.slope).toBeLessThan(0.5)
    expect(found.intercept).toBeCloseTo(0, 9)
    const many = fitCalibration(f64([9, 0, 0, 0, 9, 0, 0, 0, 9]), f64([0, 1, 2]))
    // Each of one seen: 2 / 4 for the class, 1 / 4 for either other, so e^(9 / T) = 2.
    expect(many).toEqual({ method: "temperature", temperature: expect.closeTo(9 / Math.log(2), 5) })
  })

  test("of equal scores leaves the slope and finds the share", () => {
    const found = fitCalibration(f64([5, 5, 5, 5, 5, 5]), f64([0, 0, 0, 0, 1, 1]))
    if (found.method !== "platt") throw new Error("another method")
    expect(found.slope).toBe(1)
    // Platt's targets: two of 3 / 4 and four of 1 / 6.
    const share = (2 * (3 / 4) + 4 / 6) / 6
    expect(5 + found.intercept).toBeCloseTo(Math.log(share / (1 - share)), 6)
  })

  test("never turns the order of series around", () => {
    const wrong = fitCalibration(f64([2, 1, -1, -2]), f64([0, 0, 1, 1]))
    expect(wrong).toMatchObject({ method: "platt", slope: leastSlope })
    const many = fitCalibration(f64([0, 5, 5, 5, 0, 5, 5, 5, 0]), f64([0, 1, 2]))
    expect(many).toEqual({ method: "temperature", temperature: 1 / leastSlope })
  })

  test("has no measured slope where the likelihood has no greatest value", () => {
    const undefinedOf = (truth: number[], p: number[]) => reliability(two(truth), f64(p))
    for (const [truth, p] of [
      [
        [0, 0, 1, 1],
        [0.1, 0.2, 0.8, 0.9],
      ],
      [
        [0, 0, 1, 1],
        [0.1, 0.5, 0.5, 0.9],
      ],
      [
        [0, 1, 0, 1],
        [0.4, 0.4, 0.4, 0.4],
      ],
      [
        [0, 1, 0, 1],
        [0, 0.4, 0.6, 1],
      ],
    ]) {
      expect(undefinedOf(truth, p)).toMatchObject({ slope: null, intercept: null })
    }
  })

  test("puts equal probabilities into one bin", () => {
    const p = [...new Array(30).fill(0), ...new Array(10).fill(0.5), ...new Array(20).fill(1)]
    const { curve, error } = reliability(two(p.map((x, i) => (x === 0.5 ? i % 2 : x))), f64(p))
    expect(curve.map(({ predicted, count }) => [predicted, count])).toEqual([
      [0, 30],
      [0.5, 10],
      [1, 20],
    ])
    expect(error).toBe(0)
  })
})

/** Two clouds in many columns, far too many for the rows: the raw probabilities are too sure. */
function wide(rows: number, columns: number, distance: number, seed: number): Study {
  const random = prng(seed)
  const values = Float32Array.from({ length: rows * columns }, () => random() + random() + random() - 1.5)
  const target = Float64Array.from({ length: rows }, (_, row) => (row >> 1) % 2)
  for (let row = 0; row < rows; row++) if (target[row]) values[row * columns] += distance
  return {
    kind: "logistic",
    table: { values, rows, columns },
    target,
    outputs: 1,
    group: Uint32Array.from({ length: rows }, (_, row) => row >> 1),
    stratum: Uint32Array.from(target),
  }
}

describe("a head that learns its calibration", () => {
  const study = wide(120, 80, 0.8, 1)
  const train = Uint32Array.from({ length: 80 }, (_, i) => i)
  const test_ = Uint32Array.from({ length: 40 }, (_, i) => 80 + i)

  test.each([undefined, 1e-3, 100])(
    "with penalty %s knows nothing of the rows it is tested on",
    (penalty) => {
      const method = { kind: "linear", penalty } as const
      const trial = { study, train, test: test_, method, seed: 3 }
      const said = heldOut(trial)
      expect(said.calibrated).toBe(true)
      const flipped = { ...study, target: study.target.map((y, row) => (row < 80 ? y : 1 - y)) }
      flipped.stratum = Uint32Array.from(flipped.target)
      expect(heldOut({ ...trial, study: flipped })).toEqual(said)
    },
  )

  test("is less sure than the weights are, and nearer the truth", () => {
    const { head, calibratedOn } = learn(study, train, { kind: "linear", penalty: 1e-3 }, 0)
    expect(calibratedOn).toBe(80)
    if (head.kind !== "logistic" || head.calibration?.method !== "platt") throw new Error("not calibrated")
    expect(head.calibration.slope).toBeLessThan(0.5)
    const loss = (calibration: typeof head.calibration | undefined) =>
      test_.reduce((sum, row) => {
        const [p] = applyHead({ ...head, calibration }, rowOf(study, row))
        return sum - Math.log(study.target[row] ? p : 1 - p)
      }, 0)
    expect(loss(head.calibration)).toBeLessThan(loss(undefined))
  })

  test("keeps it in its file", () => {
    for (const kind of ["logistic", "softmax"] as const) {
      const target = kind === "logistic" ? study.target : study.target.map((_, row) => (row >> 1) % 3)
      const asked = { ...study, kind, target, outputs: kind === "logistic" ? 1 : 3 } as Study
      asked.stratum = Uint32Array.from(target)
      const { head } = learn(asked, train, { kind: "linear", penalty: 10 }, 0)
      const bytes = encodeHead(head)
      const expected = { kind, outputs: asked.outputs, columns: 80, sha256: sha256(bytes) }
      const read = decodeHead(bytes, "head", expected)
      for (const row of [0, 1, 90]) {
        const [a, b] = [head, read].map((h) => applyHead(h, rowOf(asked, row)))
        for (const [k, p] of a.entries()) expect(b[k]).toBeCloseTo(p, 5)
      }
      const plain = { ...head, calibration: undefined }
      const other = encodeHead(plain)
      expect(decodeHead(other, "head", { ...expected, sha256: sha256(other) })).not.toHaveProperty(
        "calibration",
      )
    }
  })

  test("has none where the rows cannot be split", () => {
    const alone = { ...study, group: study.group.map((g, row) => (study.target[row] ? 1 : g)) }
    const { head, calibratedOn } = learn(alone, train, { kind: "linear", penalty: 10 }, 0)
    expect(calibratedOn).toBe(0)
    expect(head).not.toHaveProperty("calibration")
  })
})
