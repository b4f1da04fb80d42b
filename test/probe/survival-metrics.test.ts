import { describe, expect, test } from "vitest"
import { kaplanMeier, uncensored } from "#shared/probe/head/hazard.ts"
import { prng, randomInt } from "#shared/probe/math/prng.ts"
import { valueAt } from "#shared/probe/math/steps.ts"
import { concordance } from "#shared/probe/measure/concordance.ts"
import { aurocAt, survivalMetrics } from "#shared/probe/measure/survival-metrics.ts"
import { gridOf, medianTime, quartiles } from "#shared/probe/study/survival-times.ts"
import { bruteConcordance } from "./survival-cases.ts"

/** Outcomes and predictions with ties in everything, and weights as a bootstrap makes them. */
function made(seed: number, rows = 70) {
  const random = prng(seed)
  const draw = <T>(of: () => T) => Array.from({ length: rows }, of)
  const time = Float64Array.from(draw(() => 1 + randomInt(random, 15)))
  const event = Uint8Array.from(draw(() => (random() < 0.5 ? 1 : 0)))
  const risk = Float64Array.from(draw(() => randomInt(random, 10)))
  const weight = Float64Array.from(draw(() => randomInt(random, 4)))
  const grid = gridOf(time, event)
  const survival = Float64Array.from({ length: rows * grid.length }, random)
  return { time, event, risk, weight, grid, survival, rows }
}

/** The share uncensored up to and at t, a product over all rows in place of distinct times. */
function seenAt(
  { time, event }: { time: Float64Array; event: Uint8Array },
  t: number,
  before = false,
): number {
  let share = 1
  for (const moment of new Set(time)) {
    if (before ? moment >= t : moment > t) continue
    const censored = time.filter((end, row) => end === moment && !event[row]).length
    const atRisk = time.filter((end, row) => end > moment || (end === moment && !event[row])).length
    if (censored > 0) share *= 1 - censored / atRisk
  }
  return share
}

describe.each([1, 2, 3, 4, 5])("on random data with ties and weights, seed %i", (seed) => {
  const data = made(seed)
  const { time, event, risk, weight, grid, survival, rows } = data
  const metrics = survivalMetrics(data, risk, survival, grid)

  test("the C-index is the share of right pairs", () => {
    expect(metrics["c-index"]()).toBeCloseTo(bruteConcordance(time, event, risk), 12)
    expect(metrics["c-index"](weight)).toBeCloseTo(bruteConcordance(time, event, risk, weight), 12)
  })

  test("the integrated Brier score is the trapezoid over Brier scores at each event time", () => {
    const brierAt = (k: number, w: ArrayLike<number>) => {
      let sum = 0
      let total = 0
      for (let row = 0; row < rows; row++) {
        const s = survival[row * grid.length + k]
        total += w[row]
        if (time[row] > grid[k]) sum += (w[row] * (1 - s) ** 2) / seenAt(data, grid[k])
        else if (event[row]) sum += (w[row] * s ** 2) / seenAt(data, time[row], true)
      }
      return sum / total
    }
    for (const w of [new Float64Array(rows).fill(1), weight]) {
      let area = 0
      for (let k = 1; k < grid.length; k++)
        area += ((grid[k] - grid[k - 1]) * (brierAt(k, w) + brierAt(k - 1, w))) / 2
      expect(metrics["integrated-brier"](w)).toBeCloseTo(area / (grid[grid.length - 1] - grid[0]), 12)
    }
  })

  test("the AUROC at the median event time is the weighted share of right pairs", () => {
    const at = medianTime(time, event)
    for (const w of [new Float64Array(rows).fill(1), weight]) {
      let right = 0
      let pairs = 0
      for (let i = 0; i < rows; i++) {
        if (!(event[i] && time[i] <= at)) continue
        for (let j = 0; j < rows; j++) {
          if (time[j] <= at) continue
          const both = (w[i] * w[j]) / seenAt(data, time[i], true)
          pairs += both
          right += both * (risk[i] > risk[j] ? 1 : risk[i] === risk[j] ? 0.5 : 0)
        }
      }
      expect(metrics["auroc-at"](w)).toBeCloseTo(right / pairs, 12)
    }
  })
})

describe("metrics of survival", () => {
  test("without censoring the Brier score of the Kaplan-Meier curve is p(1 − p)", () => {
    const time = Float64Array.from({ length: 40 }, (_, row) => row + 1)
    const event = new Uint8Array(40).fill(1)
    const alive = kaplanMeier(time, event)
    expect(valueAt(alive, 10)).toBeCloseTo(0.75, 12)
    const survival = new Float64Array(40).fill(valueAt(alive, 10))
    const score = survivalMetrics({ time, event }, new Float64Array(40), survival, Float64Array.of(10))
    expect(score["integrated-brier"]()).toBeCloseTo(0.75 * 0.25, 12)
    expect(score["c-index"]()).toBe(0.5)
  })

  test("are NaN where no pair can be compared", () => {
    const risk = Float64Array.of(1, 2, 3)
    expect(concordance(Float64Array.of(5, 5, 5), Uint8Array.of(1, 1, 1), risk)()).toBeNaN()
    expect(concordance(Float64Array.of(1, 2, 3), Uint8Array.of(0, 0, 1), risk)()).toBeNaN()
    const late = { time: Float64Array.of(1, 1, 1), event: Uint8Array.of(1, 1, 1) }
    expect(aurocAt(late, risk, 1, uncensored(late.time, late.event))()).toBeNaN()
  })

  test("are looked at where somebody is still followed, at a hundred times at most", () => {
    // The longest time is an event and a censoring: after it nobody is uncensored.
    expect([...gridOf(Float64Array.of(1, 2, 2, 3, 3), Uint8Array.of(1, 1, 0, 1, 0))]).toEqual([1, 2])
    const time = Float64Array.from({ length: 500 }, (_, row) => row + 1)
    const grid = gridOf(time, new Uint8Array(500).fill(1))
    expect([grid.length, grid[0], grid[99]]).toEqual([100, 1, 500])
    expect(new Set(grid).size).toBe(100)
    expect(quartiles(time, new Uint8Array(500).fill(1))).toEqual([125, 250, 375])
    expect(quartiles(Float64Array.of(4, 9), Uint8Array.of(1, 0))).toEqual([4, 4, 4])
  })
})
