import { describe, expect, test } from "vitest"
import { prng } from "#shared/probe/math/prng.ts"
import { bootstrap } from "#shared/probe/measure/bootstrap.ts"
import { auprc, auroc, f1, mean, r2, ranked } from "#shared/probe/measure/metrics.ts"
import { confusion, score } from "#shared/probe/measure/score.ts"
import golden from "./scikit-learn.json" with { type: "json" }

const f64 = (values: number[]) => Float64Array.from(values)
const noTable = (rows: number) => ({ values: new Float32Array(), rows, columns: 0 })
const own = (rows: number) => Uint32Array.from({ length: rows }, (_, i) => i)

describe(`metrics as ${golden.source} has them, to 1e-9`, () => {
  test("two classes, with ties, plain and weighted", () => {
    const { truth, score: given, weight, plain, weighted } = golden.binaryMetrics
    const question = ranked(Uint8Array.from(truth), f64(given))
    const predicted = f64(given.map((p) => (p > 0.5 ? 1 : 0)))
    const right = truth.map((t, i) => (t === predicted[i] ? 1 : 0))
    const square = truth.map((t, i) => (t - given[i]) ** 2)
    for (const [w, expected] of [[undefined, plain] as const, [weight, weighted] as const]) {
      expect(auroc(question, w)).toBeCloseTo(expected.auroc, 9)
      expect(auprc(question, w)).toBeCloseTo(expected.auprc, 9)
      expect(f1(f64(truth), predicted, 1, w)).toBeCloseTo(expected.f1, 9)
      expect(mean(right, w)).toBeCloseTo(expected.accuracy, 9)
      expect(mean(square, w)).toBeCloseTo(expected.brier, 9)
    }
    const problem = {
      kind: "logistic",
      table: noTable(truth.length),
      target: f64(truth),
      outputs: 1,
    } as const
    expect(values(score(problem, f64(given), own(truth.length), 0))).toEqual(near(plain))
  })

  test("three classes", () => {
    const { truth, probability, plain } = golden.classMetrics
    const problem = { kind: "softmax", table: noTable(truth.length), target: f64(truth), outputs: 3 } as const
    expect(values(score(problem, f64(probability), own(truth.length), 0))).toEqual(near(plain))
    const counts = confusion(problem, f64(probability))
    expect(counts.flat().reduce((sum, n) => sum + n)).toBe(truth.length)
    expect((counts[0][0] + counts[1][1] + counts[2][2]) / truth.length).toBeCloseTo(plain.accuracy, 9)
  })

  test("numbers, plain and weighted", () => {
    const { truth, value, weight, plain, weighted } = golden.numberMetrics
    const problem = { kind: "ridge", table: noTable(truth.length), target: f64(truth), outputs: 1 } as const
    expect(values(score(problem, f64(value), own(truth.length), 0))).toEqual(near(plain))
    const error = f64(truth.map((t, i) => Math.abs(t - value[i])))
    const square = error.map((e) => e * e)
    expect(mean(error, weight)).toBeCloseTo(weighted.mae, 9)
    expect(Math.sqrt(mean(square, weight))).toBeCloseTo(weighted.rmse, 9)
    expect(r2(f64(truth), square, weight)).toBeCloseTo(weighted.r2, 9)
  })
})

function values(metrics: { name: string; value: number }[]) {
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]))
}
function near(expected: Record<string, number>) {
  return Object.fromEntries(Object.entries(expected).map(([name, v]) => [name, expect.closeTo(v, 9)]))
}

describe("metrics that are not defined", () => {
  test("are NaN for one class, and for a constant truth", () => {
    const positives = ranked(Uint8Array.of(1, 1, 1), f64([0.1, 0.2, 0.3]))
    expect(auroc(positives)).toBeNaN()
    expect(auprc(positives)).toBeNaN()
    expect(f1(f64([0, 0]), f64([0, 1]), 1)).toBeNaN()
    expect(r2(f64([2, 2]), f64([1, 0]))).toBeNaN()
  })
})

describe("bootstrap intervals", () => {
  const normal = (random: () => number) =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

  test("hold the true mean in about 95 of 100 simulations", () => {
    const random = prng(5)
    let held = 0
    for (let simulation = 0; simulation < 200; simulation++) {
      const sample = Array.from({ length: 60 }, () => 3 + normal(random))
      const { intervals } = bootstrap([(w) => mean(sample, w)], own(60), {
        seed: simulation,
        replicates: 300,
      })
      if (intervals[0]!.low <= 3 && 3 <= intervals[0]!.high) held++
    }
    // 95 % of 200 is 190; standard deviation 3.1, and the percentile interval is known to be a little narrow.
    expect(held).toBeGreaterThanOrEqual(178)
    expect(held).toBeLessThanOrEqual(199)
  })

  test("hold the true AUROC of two normal clouds in about 95 of 100 simulations", () => {
    // Means one standard deviation apart: AUROC = Φ(1 / √2).
    const truth = 0.76025
    const random = prng(6)
    let held = 0
    for (let simulation = 0; simulation < 200; simulation++) {
      const positive = Uint8Array.from({ length: 80 }, (_, i) => i % 2)
      const question = ranked(
        positive,
        Float64Array.from(positive, (p) => p + normal(random)),
      )
      const { intervals } = bootstrap([(w) => auroc(question, w)], own(80), {
        seed: simulation,
        replicates: 300,
      })
      if (intervals[0]!.low <= truth && truth <= intervals[0]!.high) held++
    }
    expect(held).toBeGreaterThanOrEqual(178)
    expect(held).toBeLessThanOrEqual(199)
  })

  test("are over patients: ten equal series of each add no certainty", () => {
    const random = prng(7)
    const patients = Array.from({ length: 30 }, () => normal(random))
    const series = Array.from({ length: 300 }, (_, i) => patients[i % 30])
    const width = (values: number[], group: Uint32Array) => {
      const [interval] = bootstrap([(w) => mean(values, w)], group, { seed: 1 }).intervals
      return interval!.high - interval!.low
    }
    const grouped = width(
      series,
      Uint32Array.from(series, (_, i) => i % 30),
    )
    expect(grouped).toBeCloseTo(width(patients, own(30)), 9)
    expect(grouped).toBeGreaterThan(2.5 * width(series, own(300)))
  })

  test("leave out replicates with one class only, and count them", () => {
    const positive = Uint8Array.from({ length: 20 }, (_, i) => (i < 2 ? 1 : 0))
    const question = ranked(
      positive,
      Float64Array.from(positive, (_, i) => i % 7),
    )
    const { intervals, undefinedIn } = bootstrap([(w) => auroc(question, w)], own(20), { seed: 2 })
    // Neither of two is drawn with chance (18/20)^20 = 0.122; standard deviation 10 of 1000.
    expect(undefinedIn[0]).toBeGreaterThan(70)
    expect(undefinedIn[0]).toBeLessThan(175)
    expect(intervals[0]!.low).toBeLessThanOrEqual(auroc(question))
    expect(intervals[0]!.high).toBeGreaterThanOrEqual(auroc(question))
  })

  test("do not exist where most replicates have no value", () => {
    const { intervals, undefinedIn } = bootstrap([() => Number.NaN], own(5), { seed: 0, replicates: 10 })
    expect(intervals).toEqual([undefined])
    expect(undefinedIn).toEqual([10])
  })
})
