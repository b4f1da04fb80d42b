import { describe, expect, test } from "vitest"
import { prng, randomInt } from "#shared/probe/math/prng.ts"
import { delong } from "#shared/probe/measure/delong.ts"
import { auroc, ranked } from "#shared/probe/measure/metrics.ts"
import golden from "./independent.json" with { type: "json" }

const own = (rows: number) => Uint32Array.from({ length: rows }, (_, i) => i)
const of = (positive: number[], score: number[], group = own(score.length)) =>
  delong(Uint8Array.from(positive), Float64Array.from(score), group)

describe("DeLong's interval", () => {
  const { truth, score, group } = golden.data

  test("of every pair looked at, with ties, to 1e-9; by patient as Obuchowski has it", () => {
    for (const [groups, { low, high }] of [
      [own(score.length), golden.delong],
      [Uint32Array.from(group), golden.obuchowski],
    ] as const) {
      const found = of(truth, score, groups)!
      expect(found.low).toBeCloseTo(low, 9)
      expect(found.high).toBeCloseTo(high, 9)
    }
  })

  test("by hand: two of each, one pair of four the wrong way round", () => {
    // Positives 1 and 3, negatives 0 and 2: placements 1/2, 1 and 1, 1/2, so AUROC 3/4; each variance 1/8, over 2: 1/16 both.
    const half = 1.959963984540054 * Math.sqrt(1 / 8)
    expect(of([0, 1, 0, 1], [0, 1, 2, 3])).toEqual({ low: expect.closeTo(0.75 - half, 12), high: 1 })
  })

  test("ten equal series of each patient add no certainty", () => {
    const random = prng(3)
    const rows = 40
    const positive = Array.from({ length: rows }, (_, i) => i % 2)
    const score = positive.map((p) => p + 2 * random())
    const ten = <T>(values: T[]) => values.flatMap((value) => new Array<T>(10).fill(value))
    const grouped = of(ten(positive), ten(score), Uint32Array.from(ten([...own(rows)])))!
    const once = of(positive, score)!
    expect(grouped.low).toBeCloseTo(once.low, 9)
    expect(grouped.high).toBeCloseTo(once.high, 9)
  })

  test("is null where it would lie", () => {
    expect(of([0, 0, 1, 1], [1, 2, 3, 4])).toBeNull()
    expect(of([1, 1, 0, 0], [1, 2, 3, 4])).toBeNull()
    expect(of([1, 0, 1, 0], [1, 1, 1, 1])).toBeNull()
    expect(of([1, 0, 0, 0], [2, 1, 3, 1])).toBeNull()
    expect(of([1, 1, 0, 0], [2, 1, 3, 0], Uint32Array.of(0, 0, 1, 2))).toBeNull()
    expect(of([1, 1], [2, 1])).toBeNull()
  })

  test("holds the true AUROC in about 95 of 100 simulations of patients with one to four series", () => {
    const random = prng(8)
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    // Score = class + patient + noise, each of variance 1: AUROC between patients is Φ(1 / √(2 · 2)).
    const expected = 0.691462
    let held = 0
    for (let simulation = 0; simulation < 300; simulation++) {
      const [positive, score, group]: [number[], number[], number[]] = [[], [], []]
      for (let patient = 0; patient < 100; patient++) {
        const effect = normal()
        for (let i = randomInt(random, 4); i >= 0; i--) {
          positive.push(patient % 2)
          score.push((patient % 2) + effect + normal())
          group.push(patient)
        }
      }
      const interval = of(positive, score, Uint32Array.from(group))!
      if (interval.low <= expected && expected <= interval.high) held++
    }
    // 95 % of 300 is 285; standard deviation 3.8, and intervals by the normal distribution are a little narrow.
    expect(held).toBeGreaterThanOrEqual(270)
    expect(held).toBeLessThanOrEqual(297)
  })

  test("lies around the AUROC", () => {
    const found = of(truth, score)!
    const area = auroc(ranked(Uint8Array.from(truth), Float64Array.from(score)))
    expect(area).toBeCloseTo(golden.delong.auroc, 12)
    expect((found.low + found.high) / 2).toBeCloseTo(area, 12)
  })
})
