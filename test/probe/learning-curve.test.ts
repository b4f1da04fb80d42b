import { describe, expect, test } from "vitest"
import { learningCurve } from "#shared/probe/curve/learning-curve.ts"
import { readCurve } from "#shared/probe/curve/record.ts"
import { sizesOf } from "#shared/probe/curve/sizes.ts"
import { drawOrder, firstOf } from "#shared/probe/curve/subsets.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { prng, randomInt } from "#shared/probe/math/prng.ts"
import type { Study } from "#shared/probe/study/rows.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { emptyStore, fillCohort, now, type Row } from "./cohort.ts"

/** Patients of up to four series and of up to two classes each, one class rare. */
function study(seed: number): Study {
  const random = prng(seed)
  const rows = 120
  const group = Uint32Array.from({ length: rows }, () => randomInt(random, 50))
  const stratum = Uint32Array.from({ length: rows }, () => (random() < 0.08 ? 2 : randomInt(random, 2)))
  const table = { values: new Float32Array(rows), rows, columns: 1 }
  return { kind: "softmax", target: Float64Array.from(stratum), outputs: 3, table, group, stratum }
}

describe("draws of patients", () => {
  test("hold whole patients, every class, and lie within each other", () => {
    for (let seed = 0; seed < 50; seed++) {
      const of = study(seed)
      const rows = Uint32Array.from(of.group.keys()).filter((row) => row % 5 > 0)
      const order = drawOrder(of, rows, seed)
      const all = new Set(Array.from(rows, (row) => of.group[row]))
      expect(order.patients.length).toBe(all.size)
      expect([...firstOf(order, all.size)]).toEqual([...rows])
      let smaller = new Set<number>()
      for (let count = 3; count <= all.size; count++) {
        const drawn = firstOf(order, count)
        const patients = new Set(Array.from(drawn, (row) => of.group[row]))
        expect(patients.size).toBe(count)
        expect([...drawn]).toEqual([...rows].filter((row) => patients.has(of.group[row])))
        expect(new Set(Array.from(drawn, (row) => of.stratum[row]))).toEqual(new Set([0, 1, 2]))
        expect([...smaller].every((patient) => patients.has(patient))).toBe(true)
        smaller = patients
      }
    }
  })

  test("have about the shares of the classes that all have", () => {
    const of = study(1)
    of.stratum.forEach((_, row) => {
      of.group[row] = row
      of.stratum[row] = row < 30 ? 1 : 0
    })
    const rows = Uint32Array.from(of.group.keys())
    for (let seed = 0; seed < 20; seed++) {
      const drawn = firstOf(drawOrder({ ...of, kind: "logistic", outputs: 1 }, rows, seed), 40)
      const ones = drawn.filter((row) => of.stratum[row] === 1).length
      // A quarter of 40, and the one that comes first.
      expect(ones).toBeGreaterThanOrEqual(9)
      expect(ones).toBeLessThanOrEqual(11)
    }
  })

  test("are decided by their seed", () => {
    const rows = Uint32Array.from({ length: 120 }, (_, i) => i)
    expect(drawOrder(study(3), rows, 1)).toEqual(drawOrder(study(3), rows, 1))
    expect(drawOrder(study(3), rows, 1)).not.toEqual(drawOrder(study(3), rows, 2))
  })
})

describe("sizes", () => {
  test("are 1, 2, 5, … unless some are asked for, of which those that can be drawn are taken", () => {
    expect(sizesOf(undefined, 4, 230)).toEqual({ sizes: [5, 10, 20, 50, 100, 200], notes: [] })
    expect(sizesOf(undefined, 4, 4)).toEqual({ sizes: [], notes: [] })
    expect(sizesOf([50, 20, 20], 4, 100)).toEqual({ sizes: [20, 50], notes: [] })
    const { sizes, notes } = sizesOf([2, 20, 100], 4, 100)
    expect(sizes).toEqual([20])
    expect(notes).toMatchObject([
      { code: "sizes-left-out", message: expect.stringContaining("sizes 2, 100") },
    ])
    expect(() => sizesOf([500], 4, 100)).toThrow("a fold has 100 patients to learn from")
  })
})

const rows = (count: number, make: (n: number, random: () => number) => Row): Row[] => {
  const random = prng(21)
  return Array.from({ length: count }, (_, n) => make(n, random))
}

async function fitted(objects: ObjectStore, change: object, of: Row[]) {
  await fillCohort(objects, of)
  return fitProbe(objects, {
    name: "p",
    cohort: "c",
    label: "tumour",
    task: "classification",
    now,
    ...change,
  })
}

describe("a learning curve", () => {
  test("rises on a clear signal, ends at the probe's own metrics, and is kept beside it", async () => {
    const objects = emptyStore()
    const record = await fitted(
      objects,
      { folds: 4, seed: 5 },
      rows(120, (n) => ({ signal: 0.7 * (n % 2), labels: { tumour: n % 2 }, metadata: { patient: n >> 2 } })),
    )
    const steps: string[] = []
    const curve = await learningCurve(objects, {
      name: "p",
      repeats: 3,
      now,
      onProgress: ({ done, total, message }) => steps.push(`${message} ${done}/${total}`),
    })
    expect(curve).toMatchObject({
      version: record.version,
      split: "by patient",
      folds: 4,
      seed: 5,
      tested: 30,
    })
    expect(curve.points.map(({ patients, draws }) => [patients, draws])).toEqual([
      [5, 3],
      [10, 3],
      [20, 3],
      [23, 1],
    ])
    // Of four series each, and 120 · 3/4 of all.
    expect(curve.points.map(({ series }) => series)).toEqual([20, 40, 80, 90])
    const aurocs = curve.points.map(({ metrics }) => metrics[0])
    expect(aurocs[0].mean).toBeLessThan(aurocs[2].mean)
    for (const [i, { mean, least, greatest }] of aurocs.entries()) {
      expect([least <= mean, mean <= greatest, i === 3 || least < greatest]).toEqual([true, true, true])
      // More patients do no harm, but for chance.
      if (i > 0) expect(mean).toBeGreaterThan(aurocs[i - 1].mean - 0.03)
    }
    for (const { name, mean } of curve.points[3].metrics) {
      expect(mean).toBeCloseTo(record.metrics.find((metric) => metric.name === name)!.value, 12)
    }
    expect([curve.baseline, curve.nearest]).toEqual([record.baseline, record.nearest])
    expect(steps.at(-1)).toBe("learning 40/40")

    expect(await readCurve(objects, "p", record.version)).toEqual(curve)
    const svg = (await objects.get(keys.probePart("p", record.version, "learning-curve.svg")))!
    expect(new TextDecoder().decode(svg.bytes)).toContain("auroc by number of patients to learn from")
    expect(await learningCurve(objects, { name: "p", repeats: 3, now })).toEqual(curve)
  })

  test("of times and of numbers, with sizes that were asked for", async () => {
    const objects = emptyStore()
    const survival = { task: "survival", label: undefined, time: "days", event: "died" }
    await fitted(
      objects,
      { ...survival, penalty: 10 },
      rows(60, (n, random) => ({
        signal: n % 3,
        labels: { days: (4 - (n % 3)) * 100 * (0.5 + random()), died: n % 4 > 0, size: 10 * (n % 3) },
      })),
    )
    const times = await learningCurve(objects, { name: "p", sizes: [6, 24, 1000], repeats: 2, now })
    expect(times.points.map(({ patients }) => patients)).toEqual([6, 24, 48])
    expect(times.points[2].metrics[0].name).toBe("c-index")
    expect(times.points[2].metrics[0].mean).toBeGreaterThan(0.6)
    const codes = times.notes.map(({ code }) => code)
    expect(codes).toContain("sizes-left-out")
    // The penalty was given, so that none had to be chosen blindly.
    expect(codes).not.toContain("penalty-by-default")

    await fitProbe(objects, { name: "q", cohort: "c", label: "size", task: "regression", now })
    const numbers = await learningCurve(objects, { name: "q", sizes: [4], repeats: 2, now })
    const [few, all] = numbers.points.map(({ metrics }) => metrics.find(({ name }) => name === "r2")!.mean)
    expect(all).toBeGreaterThan(0.7)
    expect(all).toBeGreaterThan(few)
  })

  test("of a probe by neighbors: as many as there are", async () => {
    const objects = emptyStore()
    const record = await fitted(
      objects,
      { task: "knn", neighbors: 12 },
      rows(40, (n) => ({ signal: n % 2, labels: { tumour: n % 2 } })),
    )
    const { points } = await learningCurve(objects, { name: "p", sizes: [6], repeats: 2, now })
    expect(points.map(({ patients }) => patients)).toEqual([6, 32])
    expect(points[1].metrics[0].mean).toBeCloseTo(record.metrics[0].value, 12)
  })

  test("says where the cohort has changed, and what cannot be", async () => {
    const objects = emptyStore()
    const of = rows(24, (n) => ({ signal: n % 2, labels: { tumour: n % 2 } }))
    await fitted(objects, { penalty: 100 }, of)
    await objects.delete((await objects.list(keys.members("c")))[3])
    const curve = await learningCurve(objects, { name: "p", sizes: [8], repeats: 1, now })
    expect(curve.notes.map(({ code }) => code)).toContain("cohort-changed")
    expect(curve.tested).toBe(23)
    const refused = (change: object) => learningCurve(objects, { name: "p", now, ...change })
    await expect(refused({ sizes: [2, 3] })).rejects.toMatchObject({ kind: "invalid", code: "bad-sizes" })
    await expect(refused({ name: "none" })).rejects.toMatchObject({ code: "no-such-probe" })
    await objects.delete(keys.cohort("c"))
    await expect(refused({})).rejects.toMatchObject({ code: "no-such-cohort" })
  })
})
