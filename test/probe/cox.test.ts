import { existsSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { parse } from "csv-parse/sync"
import { describe, expect, test } from "vitest"
import { sha256 } from "#shared/ids.ts"
import { decodeHead, encodeHead } from "#shared/probe/head/file.ts"
import { applyHead, type Head } from "#shared/probe/head/head.ts"
import { fitHeads, survivalAt } from "#shared/probe/head/linear.ts"
import { partialLikelihood, riskSets } from "#shared/probe/head/partial-likelihood.ts"
import { rowOf } from "#shared/probe/head/problem.ts"
import { prng, randomInt } from "#shared/probe/math/prng.ts"
import { valueBefore } from "#shared/probe/math/steps.ts"
import { evaluate } from "#shared/probe/measure/evaluate.ts"
import { survivalMetrics } from "#shared/probe/measure/survival-metrics.ts"
import { bruteConcordance, type CoxStudy, coxStudy, noise } from "./survival-cases.ts"

const table = resolve(import.meta.dirname, "../../../shared/data/tables/lung1_annotations.csv")
const columns = ["age", "clinical.T.Stage", "Clinical.N.Stage", "Clinical.M.Stage", "gender"]

/** The clinical table's rows that have all five columns, time and event. */
function lung1(): CoxStudy {
  const rows = (parse(readFileSync(table), { columns: true }) as Record<string, string>[])
    .map((row) =>
      [...columns, "Survival.time", "deadstatus.event"].map((column) => {
        if (column === "gender") return row[column] === "male" ? 1 : row[column] === "female" ? 0 : Number.NaN
        return row[column] === "" ? Number.NaN : Number(row[column])
      }),
    )
    .filter((row) => row.every(Number.isFinite))
  const values = Float32Array.from(rows.flatMap((row) => row.slice(0, 5)))
  return coxStudy(
    values,
    rows.map((row) => row[5]),
    rows.map((row) => row[6]),
  )
}

describe.skipIf(!existsSync(table))("real clinical table (skipped where ../shared/data is absent)", () => {
  // statsmodels 0.15.0, PHReg(time, z, status=event, ties="efron").fit(method="newton"), z the standardised columns as
  // float32; penalties by scipy 1.17.1, minimize(method="BFGS") of an Efron likelihood written out over risk sets.
  const fits = [
    { penalty: 0, weights: [0.19189328, 0.03251494, 0.08351343, 0.0193961, 0.07921851] },
    { penalty: 10, weights: [0.18422379, 0.03071363, 0.07955155, 0.01890429, 0.07848362] },
    { penalty: 100, weights: [0.13681183, 0.02030882, 0.05498905, 0.01563067, 0.06997572] },
  ]
  /** Of the fit without penalty: Harrell's C by numpy over all pairs. */
  const cIndex = 0.5620152
  /** `baseline_cumulative_hazard` of the same fit, which has the value just before each event time. */
  const hazardBefore = [
    [182, 0.160480997],
    [512, 0.615421637],
    [1508, 1.333278566],
    [2798, 2.150162952],
  ]

  test("coefficients, C-index and baseline hazard are those of statsmodels and scipy, to 1e-4", () => {
    const study = lung1()
    expect(study.target.length).toBe(398)
    expect(study.event.reduce((sum, e) => sum + e, 0)).toBe(352)
    const all = Uint32Array.from(study.target.keys())
    const heads = fitHeads(
      study,
      all,
      fits.map(({ penalty }) => penalty),
    )
    for (const [i, { weights }] of fits.entries()) {
      expect(heads[i].converged).toBe(true)
      for (const [c, w] of weights.entries()) expect(Math.abs(heads[i].weights[c] - w)).toBeLessThan(1e-4)
    }
    const [head] = heads
    const risk = Float64Array.from(all, (row) => applyHead(head, rowOf(study, row))[0])
    const metrics = survivalMetrics(
      { time: study.target, event: study.event },
      risk,
      new Float64Array(398 * study.grid.length),
      study.grid,
    )
    expect(Math.abs(metrics["c-index"]() - cIndex)).toBeLessThan(1e-4)
    expect(metrics["c-index"]()).toBeCloseTo(bruteConcordance(study.target, study.event, risk), 12)
    for (const [time, hazard] of hazardBefore) {
      expect(Math.abs(Math.exp(valueBefore(logHazardOf(head), time)) - hazard)).toBeLessThan(1e-4)
    }
  })

  test("the whole nested evaluation finds what little the stage and the age tell", async () => {
    const { metrics, baseline, folds } = await evaluate(lung1(), {
      folds: 5,
      seed: 0,
      method: { kind: "linear" },
    })
    expect(folds).toBe(5)
    const value = Object.fromEntries(metrics.map((metric) => [metric.name, metric.value]))
    const trivial = Object.fromEntries(baseline.map((metric) => [metric.name, metric.value]))
    expect(value["c-index"]).toBeGreaterThan(0.53)
    expect(value["c-index"]).toBeLessThan(cIndex)
    expect(trivial["c-index"]).toBe(0.5)
    expect(trivial["auroc-at"]).toBe(0.5)
    expect(Math.abs(value["integrated-brier"] - trivial["integrated-brier"])).toBeLessThan(0.01)
  })
})

function logHazardOf(head: Head) {
  if (head.kind !== "cox") throw new Error("no Cox head")
  return head.logHazard
}

/** Efron's likelihood as its definition has it: every risk set summed anew. */
function bruteLoss(time: Float64Array, event: Uint8Array, score: Float64Array): number {
  const sum = (kept: (row: number) => boolean, of: (row: number) => number) =>
    [...time.keys()].filter(kept).reduce((total, row) => total + of(row), 0)
  let loss = 0
  for (const t of new Set(time)) {
    const died = (row: number) => time[row] === t && event[row] === 1
    const count = sum(died, () => 1)
    loss -= sum(died, (row) => score[row])
    const atRisk = sum(
      (row) => time[row] >= t,
      (row) => Math.exp(score[row]),
    )
    const dying = sum(died, (row) => Math.exp(score[row]))
    for (let l = 0; l < count; l++) loss += Math.log(atRisk - (l / count) * dying)
  }
  return loss
}

describe("the partial likelihood", () => {
  const random = prng(3)
  const rows = 60
  const time = Float64Array.from({ length: rows }, () => 1 + randomInt(random, 12))
  const event = Uint8Array.from({ length: rows }, () => (random() < 0.6 ? 1 : 0))
  const score = Float64Array.from({ length: rows }, () => 6 * random() - 3)
  const derivative = new Float64Array(rows)

  test("with many ties, is that of the definition, and its derivative that of finite differences", () => {
    const loss = partialLikelihood(riskSets(time), event, score, derivative)
    expect(loss).toBeCloseTo(bruteLoss(time, event, score), 9)
    for (let row = 0; row < rows; row++) {
      const at = (by: number) => bruteLoss(time, event, score.with(row, score[row] + by))
      expect(derivative[row]).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 6)
    }
    expect(derivative.reduce((sum, d) => sum + d)).toBeCloseTo(0, 10)
  })

  test("does not change with a shift of all scores, and stays finite at scores of thousands", () => {
    const sets = riskSets(time)
    const loss = partialLikelihood(sets, event, score, derivative)
    const shifted = partialLikelihood(
      sets,
      event,
      score.map((s) => s + 5000),
      derivative,
    )
    expect(shifted).toBeCloseTo(loss, 8)
    const far = partialLikelihood(
      sets,
      event,
      score.map((s) => 2000 * s),
      derivative,
    )
    expect(Number.isFinite(far)).toBe(true)
    expect(derivative.every(Number.isFinite)).toBe(true)
    // Who has the event first has by far the largest score; those left must not vanish beside it.
    const two = partialLikelihood(
      riskSets(Float64Array.of(1, 2, 3)),
      Uint8Array.of(1, 1, 0),
      Float64Array.of(5000, 0, 0),
      derivative,
    )
    expect(two).toBeCloseTo(Math.log(2), 12)
  })
})

describe("a Cox head", () => {
  test("is finite for times in the order of a column, wide or narrow, and shrinks with the penalty", () => {
    for (const columns of [4, 60]) {
      const values = noise(30 * columns, 8)
      const time = Array.from({ length: 30 }, (_, row) => Math.exp(-3 * values[row * columns]))
      const study = coxStudy(values, time, new Array(30).fill(1))
      const heads = fitHeads(study, Uint32Array.from(time.keys()), [1e-3, 1, 100])
      const size = heads.map((head) => Math.hypot(...head.weights))
      expect(heads.every((head) => head.converged && head.weights.every(Number.isFinite))).toBe(true)
      expect(size[0]).toBeGreaterThan(size[1])
      expect(size[1]).toBeGreaterThan(size[2])
      expect(heads[1].weights[0]).toBeGreaterThan(0.5)
    }
  })

  test("keeps its hazard where the fit has all but no penalty, and a file of it answers the same", () => {
    const values = noise(300 * 60, 8)
    const time = Array.from({ length: 300 }, (_, row) => Math.exp(-3 * values[row * 60]))
    const study = coxStudy(values, time, new Array(300).fill(1))
    const [head] = fitHeads(study, Uint32Array.from(time.keys()), [1e-3])
    const logHazard = logHazardOf(head)
    // No float32 could hold the hazard itself.
    expect(Math.max(...logHazard.values)).toBeGreaterThan(Math.log(3.4e38))
    const bytes = encodeHead(head)
    const shape = { kind: "cox", outputs: 1, columns: 60, sha256: sha256(bytes) } as const
    const read = decodeHead(bytes, "head", shape)
    for (const row of [0, 100, 299]) {
      const before = survivalAt(logHazard, applyHead(head, rowOf(study, row))[0], 1)
      expect(survivalAt(logHazardOf(read), applyHead(read, rowOf(study, row))[0], 1)).toBeCloseTo(before, 3)
    }
  })

  test("of constant features answers as Breslow's estimate of all: exp of minus events over those at risk", () => {
    const study = coxStudy(new Float32Array(5).fill(3), [2, 2, 4, 5.1, 7], [1, 0, 1, 1, 0])
    const [head] = fitHeads(study, Uint32Array.of(0, 1, 2, 3, 4), [1])
    const [risk] = applyHead(head, Float32Array.of(3))
    expect(risk).toBe(0)
    const logHazard = logHazardOf(head)
    expect(survivalAt(logHazard, risk, 1.9)).toBe(1)
    expect(survivalAt(logHazard, risk, 2)).toBeCloseTo(Math.exp(-1 / 5), 12)
    // 5.1 is no float32, and the step at it must be taken all the same.
    expect(survivalAt(logHazard, risk, 5.1)).toBeCloseTo(Math.exp(-(1 / 5 + 1 / 3 + 1 / 2)), 12)
    expect(survivalAt(logHazard, 1, 2)).toBeCloseTo(Math.exp(-Math.E / 5), 12)
  })
})
