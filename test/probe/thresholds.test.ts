import { describe, expect, test } from "vitest"
import { rocCurve } from "#shared/probe/measure/roc.ts"
import { thresholdsOf } from "#shared/probe/measure/thresholds.ts"
import { wilson } from "#shared/probe/measure/wilson.ts"
import golden from "./independent.json" with { type: "json" }

const f64 = (values: number[]) => Float64Array.from(values)
const of = (truth: number[], p: number[]) =>
  Object.fromEntries(thresholdsOf(f64(truth), f64(p)).map((one) => [one.rule, one]))

describe("thresholds", () => {
  const { truth, probability } = golden.data

  test("are those that scikit-learn's ROC curve has, each just below the probability that it calls positive", () => {
    const found = of(truth, probability)
    const { youden, sens, spec } = golden.roc
    for (const [rule, expected] of [
      ["youden", youden],
      ["sensitivity-0.9", sens],
      ["specificity-0.9", spec],
    ] as const) {
      const { threshold, sensitivity, specificity } = found[rule]
      expect(sensitivity!.value).toBeCloseTo(expected.sensitivity, 12)
      expect(specificity!.value).toBeCloseTo(expected.specificity, 12)
      // Theirs calls positive what is as high or higher, ours what is higher.
      const below = Math.max(...probability.filter((p) => p < expected.threshold))
      expect(threshold).toBeCloseTo((below + expected.threshold) / 2, 12)
    }
  })

  test("by hand", () => {
    const found = of([1, 1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.6, 0.3, 0.1])
    expect(found.half).toMatchObject({
      threshold: 0.5,
      sensitivity: { value: 1, high: 1 },
      specificity: { value: 2 / 3 },
      ppv: { value: 3 / 4 },
      npv: { value: 1, high: 1 },
    })
    // J is 2/3 above 0.75 and above 0.45: the higher threshold is kept.
    expect(found.youden.threshold).toBeCloseTo(0.75, 12)
    expect(found["sensitivity-0.9"].threshold).toBeCloseTo(0.45, 12)
    expect(found["specificity-0.9"].threshold).toBeCloseTo(0.75, 12)
    expect(found["specificity-0.9"].sensitivity!.value).toBeCloseTo(2 / 3, 12)
  })

  test("leave out what only everybody or nobody meets, and shares of none are null", () => {
    expect(Object.keys(of([0, 1, 0, 1], [0.4, 0.4, 0.4, 0.4]))).toEqual(["half"])
    const half = of([0, 1, 0, 1], [0.4, 0.4, 0.4, 0.4]).half
    expect(half.ppv).toBeNull()
    expect(half.npv).toMatchObject({ value: 0.5 })
    // The lowest of all is a positive; the highest are all negatives.
    expect(Object.keys(of([0, 0, 1, 1], [0.9, 0.9, 0.8, 0.1]))).toEqual(["half", "youden"])
  })

  test("stand between neighbors that differ by the last bit", () => {
    const [low, high] = [0.3, 0.3 + 2 ** -54]
    expect(high).toBeGreaterThan(low)
    const { threshold } = of([0, 1], [low, high]).youden
    expect(low > threshold).toBe(false)
    expect(high > threshold).toBe(true)
  })
})

describe("what they rest on", () => {
  test("Wilson's interval is that of statsmodels, to 1e-12", () => {
    for (const [hits, of, low, high] of golden.wilson) {
      const found = wilson(hits, of)!
      expect(found.value).toBe(hits / of)
      expect(found.low).toBeCloseTo(low, 12)
      expect(found.high).toBeCloseTo(high, 12)
    }
    expect(wilson(0, 0)).toBeNull()
  })

  test("the ROC curve's corners are those of scikit-learn, to 1e-12", () => {
    const { fpr, tpr } = golden.roc
    const curve = rocCurve(Uint8Array.from(golden.data.truth), f64(golden.data.probability))
    // Theirs may keep a point on a straight stretch; each of ours is one of theirs.
    const theirs = fpr.map((f, i) => `${f.toFixed(12)} ${tpr[i].toFixed(12)}`)
    const ours = curve.map((p) => `${p.falsePositives.toFixed(12)} ${p.truePositives.toFixed(12)}`)
    expect(theirs).toEqual(expect.arrayContaining(ours))
    let area = 0
    for (const [i, { falsePositives: x, truePositives: y }] of curve.entries()) {
      if (i > 0) area += ((x - curve[i - 1].falsePositives) * (y + curve[i - 1].truePositives)) / 2
    }
    expect(area).toBeCloseTo(golden.roc.auroc, 12)
  })
})
