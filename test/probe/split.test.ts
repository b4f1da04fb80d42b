import { describe, expect, test } from "vitest"
import { prng, randomInt } from "#shared/probe/math/prng.ts"
import { evaluate } from "#shared/probe/measure/evaluate.ts"
import { bestPenalty, innerFits, penaltyGrid } from "#shared/probe/measure/penalty.ts"
import type { Study } from "#shared/probe/study/rows.ts"
import { rowsOf, split } from "#shared/probe/study/split.ts"

describe("split", () => {
  test("never puts a patient in two folds, loses no row, and leaves every class to learn from", () => {
    const random = prng(4)
    let made = 0
    for (let trial = 0; trial < 300; trial++) {
      const rows = 6 + randomInt(random, 80)
      const patients = 2 + randomInt(random, rows)
      const classes = 2 + randomInt(random, 4)
      const group = Uint32Array.from({ length: rows }, () => randomInt(random, patients))
      const stratum = Uint32Array.from({ length: rows }, () => Math.floor(classes * random() ** 2))
      const dealt = split(group, stratum, { folds: 5, seed: trial, needed: new Set(stratum) })
      if (!dealt) continue
      made++
      for (let fold = 0; fold < dealt.folds; fold++) {
        const { train, test } = rowsOf(dealt, fold)
        expect(train.length + test.length).toBe(rows)
        expect(test.length).toBeGreaterThan(0)
        const trained = new Set(Array.from(train, (row) => group[row]))
        expect(Array.from(test).some((row) => trained.has(group[row]))).toBe(false)
        expect(new Set(Array.from(train, (row) => stratum[row]))).toEqual(new Set(stratum))
      }
    }
    expect(made).toBeGreaterThan(150)
  })

  test("spreads classes as evenly as can be when each series is a patient", () => {
    const stratum = Uint32Array.from({ length: 103 }, (_, i) => (i < 23 ? 1 : 0))
    const group = stratum.map((_, i) => i)
    const { fold } = split(group, stratum, { folds: 5, seed: 9, needed: new Set(stratum) })!
    for (let f = 0; f < 5; f++) {
      const rows = [...fold.keys()].filter((row) => fold[row] === f)
      const positives = rows.filter((row) => stratum[row] === 1).length
      expect([4, 5]).toContain(positives)
      expect([16, 17]).toContain(rows.length - positives)
    }
  })

  test("is decided by its seed", () => {
    const stratum = new Uint32Array(40)
    const group = stratum.map((_, i) => i)
    const fold = (seed: number) => split(group, stratum, { folds: 4, seed, needed: new Set(stratum) })!.fold
    expect(fold(1)).toEqual(fold(1))
    expect(fold(1)).not.toEqual(fold(2))
  })

  test("makes fewer folds of few patients, and none where a class has one patient", () => {
    const options = { folds: 5, seed: 0, needed: new Set([0, 1]) }
    const three = split(Uint32Array.of(0, 0, 1, 1, 2, 2), Uint32Array.of(0, 1, 0, 1, 0, 1), options)
    expect(three?.folds).toBe(3)
    expect(split(Uint32Array.of(0, 1, 2, 3, 3), Uint32Array.of(0, 0, 0, 1, 1), options)).toBeUndefined()
  })
})

/** Patients of three series with nearly the same features, and a coin for a label: nothing can be learned. */
function coins(patients: number, columns: number, seed: number): Study {
  const random = prng(seed)
  const rows = patients * 3
  const group = Uint32Array.from({ length: rows }, (_, r) => Math.floor(r / 3))
  const centre = Float32Array.from({ length: patients * columns }, () => random() * 10)
  const values = Float32Array.from(
    { length: rows * columns },
    (_, i) => centre[group[Math.floor(i / columns)] * columns + (i % columns)] + random() / 100,
  )
  const coin = Array.from({ length: patients }, () => randomInt(random, 2))
  const target = Float64Array.from(group, (g) => coin[g])
  const table = { values, rows, columns }
  return { kind: "logistic", table, target, outputs: 1, group, stratum: Uint32Array.from(target) }
}

describe("evaluation", () => {
  test("by patient, a coin cannot be learned; by series, the leak would be plain", async () => {
    const study = coins(60, 30, 1)
    const options = { folds: 5, seed: 0, method: { kind: "linear", penalty: 1 } } as const
    const honest = await evaluate(study, options)
    const leaking = await evaluate({ ...study, group: study.group.map((_, row) => row) }, options)
    expect(honest.metrics[0].name).toBe("auroc")
    expect(Math.abs(honest.metrics[0].value - 0.5)).toBeLessThan(0.2)
    expect(leaking.metrics[0].value).toBeGreaterThan(0.9)
  })

  test("no row's own label or patient has a say in its prediction", async () => {
    const study = coins(20, 5, 2)
    const before = (await evaluate(study, { folds: 4, seed: 3, method: { kind: "linear" } })).outOfFold
    // Values, not strata, so that the folds stay: everything about the first patient's series changes.
    const values = study.table.values.slice().fill(1e6, 0, 3 * 5)
    const after = (
      await evaluate(
        { ...study, table: { ...study.table, values } },
        { folds: 4, seed: 3, method: { kind: "linear" } },
      )
    ).outOfFold
    const { fold } = split(study.group, study.stratum, { folds: 4, seed: 3, needed: new Set(study.stratum) })!
    const sameFold = [...fold.keys()].filter((row) => fold[row] === fold[0] && study.group[row] !== 0)
    expect(sameFold.length).toBeGreaterThan(5)
    for (const row of sameFold) expect(after[row]).toBe(before[row])
  })

  test("the trivial predictor has AUROC 0.5, average precision of its prevalence, and R² 0", async () => {
    const study = coins(40, 3, 5)
    const share = study.target.reduce((sum, t) => sum + t) / study.target.length
    const { baseline } = await evaluate(study, {
      folds: 3,
      seed: 0,
      method: { kind: "linear", penalty: 100 },
    })
    const value = Object.fromEntries(baseline.map((metric) => [metric.name, metric.value]))
    expect(value.auroc).toBe(0.5)
    expect(value.auprc).toBeCloseTo(share, 12)
    expect(value.accuracy).toBeCloseTo(Math.max(share, 1 - share), 12)
    const numbers: Study = { ...study, kind: "ridge", target: study.target.map((t, i) => t + i) }
    const ridge = await evaluate(numbers, { folds: 3, seed: 0, method: { kind: "linear", penalty: 100 } })
    expect(ridge.baseline.find(({ name }) => name === "r2")!.value).toBeCloseTo(0, 12)
  })

  test("a class from one patient only cannot be tested", async () => {
    const study = coins(10, 3, 6)
    study.target.fill(0).fill(1, 0, 3)
    const alone = { ...study, stratum: Uint32Array.from(study.target) }
    await expect(evaluate(alone, { folds: 5, seed: 0, method: { kind: "linear" } })).rejects.toMatchObject({
      code: "too-few-labels",
    })
  })

  test("the penalty is chosen inside: strong for noise, weak for a clear rule", () => {
    const rows = Uint32Array.from({ length: 180 }, (_, i) => i)
    const noise = coins(60, 30, 7)
    expect(bestPenalty(innerFits(noise, rows, penaltyGrid, 0)!)).toBeGreaterThanOrEqual(1e3)
    const rule = { ...noise, kind: "ridge" as const }
    rule.target = Float64Array.from(rows, (row) => 5 * noise.table.values[row * 30])
    rule.group = rows
    expect(bestPenalty(innerFits(rule, rows, penaltyGrid, 0)!)).toBe(penaltyGrid[0])
  })
})
