import { describe, expect, test } from "vitest"
import { sha256 } from "#shared/ids.ts"
import { decodeHead, encodeHead } from "#shared/probe/head/file.ts"
import { applyHead, judged, judgedOfEach } from "#shared/probe/head/head.ts"
import { answerOf, type Known, survivalOf } from "#shared/probe/head/known.ts"
import { neighborHead, neighborsOf, neighborsOfEach, ready } from "#shared/probe/head/neighbors.ts"
import { type Problem, rowOf } from "#shared/probe/head/problem.ts"
import { lostShare, weightedKaplanMeier } from "#shared/probe/head/weighted-survival.ts"
import { valueAt } from "#shared/probe/math/steps.ts"
import { seriesId } from "./cohort.ts"
import golden from "./scikit-learn-neighbors.json" with { type: "json" }
import { coxStudy, noise } from "./survival-cases.ts"

const everyRow = ({ table }: Problem) => Uint32Array.from({ length: table.rows }, (_, i) => i)

function problem(kind: "logistic" | "softmax" | "ridge", x: ArrayLike<number>, y: number[]): Problem {
  const table = { values: Float32Array.from(x), rows: y.length, columns: x.length / y.length }
  const outputs = kind === "softmax" ? new Set(y).size : 1
  return { kind, table, target: Float64Array.from(y), outputs }
}

// By the version and the calls that scikit-learn-neighbors.json names. Three training rows lie in one place; of the
// queries the first lies there, the second on another row, the third near the three.
describe(`answers of ${golden.source}`, () => {
  const queries = Float32Array.from(golden.queries)
  const query = (i: number) => queries.subarray(i * golden.columns, (i + 1) * golden.columns)
  const asked = Array.from({ length: queries.length / golden.columns }, (_, i) => query(i))

  test.each(golden.fits)("of $count neighbors, to 1e-6", ({ count, two, three, value, distances }) => {
    for (const [kind, y, theirs] of [
      ["logistic", golden.two, two],
      ["softmax", golden.three, three],
      ["ridge", golden.value, value],
    ] as const) {
      const ours = problem(kind, golden.x, y)
      const head = neighborHead(ours, everyRow(ours), count)
      const answers = asked.flatMap((x) => [...applyHead(head, x)])
      expect(answers.length).toBe(theirs.length)
      for (const [i, answer] of answers.entries()) expect(Math.abs(answer - theirs[i])).toBeLessThan(1e-6)
      const found = asked.flatMap((x) => [...neighborsOf(head, x).distances])
      for (const [i, d] of found.entries()) expect(Math.abs(d - distances[i])).toBeLessThan(1e-6)
    }
  })
})

describe("neighbors", () => {
  test("leave out the series that is asked about, whose row it is, and no other of the same place", async () => {
    const ours = problem("ridge", [0, 0, 0, 1, 2, 5], [10, 20, 30, 40, 50, 60])
    const head = { ...neighborHead(ours, everyRow(ours), 3), series: [0, 1, 2, 3, 4, 5].map(seriesId) }
    const x = rowOf(ours, 1)
    expect([...neighborsOf(head, x).rows]).toEqual([0, 1, 2])
    expect([...neighborsOf(head, x, seriesId(1)).rows]).toEqual([0, 2, 3])
    expect([...neighborsOf(head, x, seriesId(9)).rows]).toEqual([0, 1, 2])
    expect(neighborsOf(await ready(head), x, seriesId(1))).toEqual(neighborsOf(head, x, seriesId(1)))
    expect(applyHead(head, x, seriesId(1))[0]).toBe(20)
    expect([...neighborsOf({ ...head, count: 6 }, x, seriesId(1)).rows]).toEqual([0, 2, 3, 4, 5])
  })

  test("heed no constant column, however far a query lies, and answer the farthest query with numbers", () => {
    const ours = problem("ridge", [1, 7, 2, 7, 3, 7, 4, 7], [1, 2, 3, 4])
    const head = neighborHead(ours, everyRow(ours), 2)
    expect(applyHead(head, Float32Array.of(1.2, -5e30))).toEqual(applyHead(head, Float32Array.of(1.2, 7)))
    const tiny = problem("ridge", [0, 0, 1e-40, 1e-40], [1, 2, 3, 4])
    const far = applyHead(neighborHead(tiny, everyRow(tiny), 3), Float32Array.of(3e38))[0]
    expect(far).toBeGreaterThanOrEqual(1)
    expect(far).toBeLessThanOrEqual(4)
    const all = problem("logistic", new Float32Array(8).fill(3), [0, 1, 1, 0])
    expect(applyHead(neighborHead(all, everyRow(all), 3), Float32Array.of(9, 9))[0]).toBeCloseTo(2 / 3, 12)
  })

  test("know nothing of rows that are not given: neither numbers, labels nor scaling", () => {
    const clean = coxStudy(
      noise(30 * 4, 1),
      Array.from(noise(30, 2), (v) => v + 2),
      new Array(30).fill(1),
    )
    const soiled = {
      ...clean,
      table: { ...clean.table, values: clean.table.values.slice().fill(1e9, 20 * 4) },
    }
    soiled.target = clean.target.slice().fill(Number.NaN, 20)
    const rows = Uint32Array.from({ length: 20 }, (_, i) => i)
    expect(neighborHead(soiled, rows, 3)).toEqual(neighborHead(clean, rows, 3))
  })
})

// Times 3+, 3, 5, 5+, 8+, 9, 12, 12+ (+ censored). At risk and dying by weight: 6.55 and 2.25 at 3, 4.3 and 0.5 at 5,
// 2.4 and 1.5 at 9, 0.9 and 0.8 at 12. The same four values: statsmodels 0.15.0, SurvfuncRight(freq_weights=…).surv_prob.
describe("survival by weight", () => {
  const time = Float64Array.of(5, 3, 8, 3, 12, 9, 12, 5)
  const event = Uint8Array.of(1, 1, 0, 1, 1, 1, 0, 0)
  const weight = Float64Array.of(0.5, 2, 1, 0.25, 0.8, 1.5, 0.1, 0.4)
  const theirs = [0.6564885496183206, 0.5801526717557252, 0.21755725190839692, 0.024173027989821867]

  test("is Kaplan and Meier's product, and the time that is lost is the area above it", () => {
    const alive = weightedKaplanMeier(time, event, weight)
    expect([...alive.times]).toEqual([3, 5, 9, 12])
    for (const [i, value] of alive.values.entries()) expect(Math.abs(value - theirs[i])).toBeLessThan(1e-12)
    expect([2.9, 3, 100].map((t) => valueAt(alive, t))).toEqual([1, alive.values[0], alive.values[3]])
    // By hand, up to 10: lived 3 + 2 · S(3) + 4 · S(5) + 1 · S(9).
    const lived = 3 + 2 * theirs[0] + 4 * theirs[1] + theirs[2]
    expect(lostShare(alive, 10)).toBeCloseTo(1 - lived / 10, 12)
    expect(lostShare(alive, 2)).toBe(0)
  })

  test("weighs neighbors by nearness; one in the very place speaks alone", () => {
    const known: Known = { of: "time", target: time, event, horizon: 10 }
    const near = { rows: Uint32Array.of(1, 5, 2), distances: Float64Array.of(0.5, 1, 2) }
    // 1 / distance: 2 with the event at 3, 1 with the event at 9, 0.5 lost at 8.
    const alive = survivalOf(known, near)
    expect(valueAt(alive, 3)).toBeCloseTo(1.5 / 3.5, 12)
    expect(valueAt(alive, 9)).toBe(0)
    expect(answerOf(known, near)[0]).toBeCloseTo(1 - (3 + 6 * (1.5 / 3.5)) / 10, 12)
    const same = { ...near, distances: Float64Array.of(0, 1, 2) }
    expect(answerOf(known, same)[0]).toBeCloseTo(0.7, 12)
    // Lost from sight, and nobody else is there: nothing is known to be lost.
    const lost = { rows: Uint32Array.of(2), distances: Float64Array.of(3) }
    expect(answerOf(known, lost)[0]).toBe(0)
  })
})

describe("a file of neighbors", () => {
  const time = Array.from(noise(25, 5), (v) => 2 + v)
  const study = coxStudy(
    noise(25 * 6, 4),
    time,
    time.map((_, i) => i % 3 && 1),
  )
  const head = { ...neighborHead(study, everyRow(study), 4), series: time.map((_, i) => seriesId(i)) }
  const shape = (bytes: Uint8Array) =>
    ({ kind: "knn", outputs: 1, columns: 6, sha256: sha256(bytes) }) as const

  test("answers the very same numbers, of one row and of many", () => {
    const bytes = encodeHead(head)
    const read = decodeHead(bytes, "head", shape(bytes))
    expect(read).toEqual(head)
    const rows = Uint32Array.of(3, 20, 7)
    const many = judgedOfEach(study, read, rows)
    for (const [i, row] of rows.entries()) {
      expect(judged(study, head, row)).toEqual(many.slice(i * study.outputs, (i + 1) * study.outputs))
    }
    expect(neighborsOfEach(head, study.table, rows)[1]).toEqual(neighborsOf(head, rowOf(study, 20)))
  })

  test("that is not as it was written is refused", () => {
    const bytes = encodeHead(head)
    for (let at = 3; at < bytes.length; at += 97) {
      const flipped = bytes.slice()
      flipped[at] ^= 4
      expect(() => decodeHead(flipped, "head", shape(bytes))).toThrow(
        expect.objectContaining({ kind: "unavailable", code: "corrupt-probe" }),
      )
    }
    const known = head.known as Known & { of: "time" }
    for (const wrong of [
      { ...head, count: 26 },
      { ...head, known: { ...known, target: known.target.slice(1) } },
      { ...head, known: { of: "class" as const, target: known.target, classes: 2 } },
      { ...head, known: { of: "class" as const, target: new Float64Array(25), classes: 2 } },
    ]) {
      const other = encodeHead(wrong)
      expect(() => decodeHead(other, "head", shape(other))).toThrow(
        expect.objectContaining({ code: "corrupt-probe" }),
      )
    }
  })
})
