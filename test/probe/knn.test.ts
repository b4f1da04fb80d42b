import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { addMember } from "#shared/cohort/members.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { prng } from "#shared/probe/math/prng.ts"
import { chooseCount, countGrid } from "#shared/probe/measure/count.ts"
import { evaluate } from "#shared/probe/measure/evaluate.ts"
import { type Answer, openProbe, Prediction, predict } from "#shared/probe/predict.ts"
import { predictCohort } from "#shared/probe/predict-cohort.ts"
import type { ProbeRecord } from "#shared/probe/record.ts"
import type { Study } from "#shared/probe/study/rows.ts"
import { diskStore } from "#shared/store/disk.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { api } from "#test/support/api.ts"
import { emptyStore, fillCohort, now, type Row, seriesId } from "./cohort.ts"
import { bruteConcordance, cohortOf, coxStudy, noise, rows } from "./survival-cases.ts"

const ask = (change: object = {}) => ({ name: "p", cohort: "c", task: "knn", now, ...change }) as const
const codes = (record: ProbeRecord) => record.notes.map(({ code }) => code)
const named = (metrics: ProbeRecord["metrics"], name: string) => metrics.find((m) => m.name === name)!.value

async function asked(objects: ObjectStore, ids: string[], times?: number[]): Promise<Answer[]> {
  const predictions = await predict(objects, await openProbe(objects, "p"), ids, times)
  return predictions.map((p) => {
    Prediction.parse(p)
    if (!("prediction" in p)) throw new Error(p.error.message)
    return p.prediction
  })
}

describe("a knn probe", () => {
  test("of classes is measured by patient and answers with its neighbors, never with the series itself", async () => {
    const objects = emptyStore()
    const made = rows(60, (n) => ({
      signal: n % 3,
      labels: { grade: ["low", "mid", "high"][n % 3] },
      metadata: { patient: n >> 1 },
    }))
    await fillCohort(objects, made)
    const record = await fitProbe(objects, ask({ label: "grade" }))
    expect(record).toMatchObject({
      task: "classification",
      label: "grade",
      head: { kind: "knn" },
      choice: { of: "neighbors", by: "cross-validation" },
      classes: [{ name: "high" }, { name: "low" }, { name: "mid" }],
      training: { count: 60, patients: 30, split: "by patient" },
    })
    expect(countGrid).toContain(record.choice.value)
    expect(named(record.metrics, "macro-auroc")).toBeGreaterThan(0.8)
    expect(record.nearest.map(({ name }) => name)).toEqual(record.metrics.map(({ name }) => name))
    expect(codes(record)).toContain("label-kind")
    expect(codes(record)).not.toContain("separable")

    const ids = made.map((_, n) => seriesId(n))
    const answers = await asked(objects, ids)
    for (const [n, answer] of answers.entries()) {
      if (!("label" in answer)) throw new Error("no class")
      const neighbors = answer.neighbors!
      expect(neighbors).toHaveLength(record.choice.value)
      expect(neighbors.map(({ series }) => series)).not.toContain(ids[n])
      const distances = neighbors.map(({ distance }) => distance)
      expect(distances).toEqual([...distances].sort((a, b) => a - b))
      expect(neighbors.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12)
      for (const { series, label } of neighbors) expect(label).toBe(made[ids.indexOf(series)].labels!.grade)
      for (const [label, p] of Object.entries(answer.probabilities)) {
        const share = neighbors.filter((one) => one.label === label).reduce((sum, one) => sum + one.weight, 0)
        expect(p).toBeCloseTo(share, 12)
      }
    }
    const right = answers.filter((a, n) => "label" in a && a.label === made[n].labels!.grade)
    expect(right.length).toBeGreaterThan(40)
  })

  test("of a column with many numbers learns the number, and tells values as they were given", async () => {
    const objects = emptyStore()
    const volume = (n: number) => 100.1 + 20 * Math.sin(n)
    await fillCohort(
      objects,
      rows(60, (n) => ({ signal: 3 * Math.sin(n), labels: { volume: volume(n) } })),
    )
    const record = await fitProbe(objects, ask({ label: "volume", unit: "ml", neighbors: 3 }))
    expect(record).toMatchObject({
      task: "regression",
      unit: "ml",
      head: { kind: "knn" },
      choice: { of: "neighbors", by: "caller", value: 3 },
    })
    expect(record.choice.perFold).toEqual([3, 3, 3, 3, 3])
    expect(named(record.metrics, "r2")).toBeGreaterThan(0.7)
    expect(record.notes[0]).toMatchObject({
      code: "label-kind",
      message: expect.stringContaining("60 different numbers, more than 10"),
    })
    const [answer] = await asked(objects, [seriesId(7)])
    if (!("value" in answer)) throw new Error("no value")
    const given = new Map(rows(60, () => ({ signal: 0 })).map((_, n) => [seriesId(n), volume(n)]))
    for (const { series, value } of answer.neighbors!) expect(value).toBe(given.get(series))
    const mean = answer.neighbors!.reduce((sum, { value, weight }) => sum + value! * weight, 0)
    expect(answer.value).toBeCloseTo(mean, 9)

    // A grade in numbers stays a class.
    await fillCohortAgain(objects, (n) => ({ grade: n % 10 }))
    expect(await fitProbe(objects, ask({ label: "grade", neighbors: 3 }))).toMatchObject({
      task: "classification",
      classes: { length: 10 },
    })
  })

  test("of times tells the share of time lost, survival at asked times, and a risk for searches", async () => {
    const objects = emptyStore()
    const made = cohortOf(80)
    await fillCohort(objects, made)
    const record = await fitProbe(objects, ask({ time: "days", event: "died", unit: "days" }))
    if (record.task !== "survival") throw new Error("another task")
    expect(record).toMatchObject({ ties: null, head: { kind: "knn" }, choice: { of: "neighbors" } })
    expect(named(record.metrics, "c-index")).toBeGreaterThan(0.65)
    expect(named(record.metrics, "integrated-brier")).toBeLessThan(named(record.nearest, "integrated-brier"))

    const times = [0.5, record.answersAt[1], record.followUp]
    for (const answer of await asked(objects, [seriesId(0), seriesId(1)], times)) {
      if (!("risk" in answer)) throw new Error("no risk")
      expect(answer.risk).toBeGreaterThanOrEqual(0)
      expect(answer.risk).toBeLessThanOrEqual(1)
      expect(answer.survival[0]).toEqual({ time: 0.5, probability: 1 })
      expect(answer.survival[1].probability).toBeGreaterThanOrEqual(answer.survival[2].probability)
      expect(answer.neighbors![0]).toMatchObject({ time: expect.any(Number), event: expect.any(Boolean) })
    }
    const whole = await predictCohort(objects, { cohort: "c", probes: ["p"] }, { now })
    expect(whole.probes).toMatchObject([{ answered: 80, columns: ["probe.p"] }])
  })

  test("with one bit of its file flipped does not answer", async () => {
    const objects = emptyStore()
    await fillCohort(
      objects,
      rows(12, (n) => ({ signal: n % 2, labels: { tumour: n % 2 } })),
    )
    const { version, head } = await fitProbe(objects, ask({ label: "tumour", neighbors: 3 }))
    const key = keys.probePart("p", version, head.file)
    const { bytes } = (await objects.get(key))!
    bytes[bytes.length >> 1] ^= 1
    await objects.put(key, bytes)
    await expect(openProbe(objects, "p")).rejects.toMatchObject({ code: "corrupt-probe" })
  })

  test("asked for more neighbors than there are takes all, and says so", async () => {
    const objects = emptyStore()
    await fillCohort(
      objects,
      rows(10, (n) => ({ signal: n % 2, labels: { tumour: n % 2 } })),
    )
    const record = await fitProbe(objects, ask({ label: "tumour", neighbors: 500 }))
    expect(record.choice).toMatchObject({ value: 10, by: "caller", perFold: [8, 8, 8, 8, 8] })
    expect(codes(record)).toContain("neighbors-reduced")
    const [answer] = await asked(objects, [seriesId(0)])
    expect(answer.neighbors).toHaveLength(9)
  })
})

async function fillCohortAgain(objects: ObjectStore, labels: (n: number) => Row["labels"]): Promise<void> {
  for (let n = 0; n < 60; n++)
    await addMember(
      objects,
      "c",
      { series: seriesId(n), source: `scan ${n}`, metadata: {}, labels: labels(n)! },
      now,
    )
}

/** Two scans of each patient in nearly one place; what a patient's label is, nothing tells. */
function twins(patients: number): Study {
  const random = prng(3)
  const columns = 5
  const values = new Float32Array(2 * patients * columns)
  const target = new Float64Array(2 * patients)
  for (let p = 0; p < patients; p++) {
    const label = random() < 0.5 ? 0 : 1
    const place = Array.from({ length: columns }, () => random())
    for (const row of [2 * p, 2 * p + 1]) {
      target[row] = label
      for (let c = 0; c < columns; c++) values[row * columns + c] = place[c] + 1e-3 * random()
    }
  }
  return {
    kind: "logistic",
    table: { values, rows: 2 * patients, columns },
    target,
    outputs: 1,
    group: Uint32Array.from(target, (_, row) => row >> 1),
    stratum: Uint32Array.from(target),
  }
}

describe("the evaluation of neighbors", () => {
  test("never lets a patient be its own neighbor", async () => {
    const study = twins(80)
    const options = { folds: 5, seed: 0, method: { kind: "neighbors", count: 1 } } as const
    const honest = await evaluate(study, options)
    expect(named(honest.metrics, "auroc")).toBeLessThan(0.65)
    const leaking = await evaluate({ ...study, group: study.group.map((_, row) => row) }, options)
    expect(named(leaking.metrics, "auroc")).toBeGreaterThan(0.75)
    // One neighbor is what the baseline of every probe is, and both come of the same folds.
    expect(honest.nearest).toEqual(honest.metrics)
    const linear = await evaluate(study, { folds: 5, seed: 0, method: { kind: "linear", penalty: 10 } })
    expect(linear.nearest).toEqual(honest.nearest)
    // The twin is held out with its row, so even the number of neighbors is chosen without it: many, as of noise.
    expect(chooseCount(study, Uint32Array.from(study.target.keys()), 0)).toBeGreaterThan(20)
  })

  test("of the nearest neighbor alone is what a search by hand in the same folds finds", async () => {
    const columns = 3
    const study = coxStudy(
      noise(60 * columns, 9),
      Array.from(noise(60, 10), (v) => 2 + v),
      [...noise(60, 11).map((v) => (v < 0.3 ? 1 : 0))],
    )
    const { fold, nearest } = await evaluate(study, {
      folds: 5,
      seed: 0,
      method: { kind: "linear", penalty: 10 },
    })
    const x = (row: number) => study.table.values.subarray(row * columns, (row + 1) * columns)
    const end = study.grid[study.grid.length - 1]
    const all = [...study.target.keys()]
    const risk = Float64Array.from(all, (row) => {
      const train = all.filter((other) => fold[other] !== fold[row])
      const scale = [...x(row).keys()].map((c) => {
        const mean = train.reduce((sum, i) => sum + x(i)[c], 0) / train.length
        return Math.sqrt(train.reduce((sum, i) => sum + (x(i)[c] - mean) ** 2, 0) / train.length)
      })
      const distance = (i: number) => Math.hypot(...scale.map((s, c) => (x(i)[c] - x(row)[c]) / s))
      const first = train.reduce((best, i) => (distance(i) < distance(best) ? i : best))
      return study.event[first] ? Math.max(0, 1 - study.target[first] / end) : 0
    })
    expect(named(nearest, "c-index")).toBeCloseTo(bruteConcordance(study.target, study.event, risk), 12)
  })

  test("chooses few neighbors where labels change from place to place, and many where they are noise", () => {
    const values = noise(300, 6)
    const every = Uint32Array.from(values.keys())
    const numbers = (target: Float64Array): Study => ({
      kind: "ridge",
      table: { values, rows: 300, columns: 1 },
      target,
      outputs: 1,
      group: every,
      stratum: new Uint32Array(300),
    })
    expect(chooseCount(numbers(Float64Array.from(values, (v) => Math.sin(9 * v))), every, 0)).toBeLessThan(6)
    const random = Float64Array.from(noise(300, 7))
    expect(chooseCount(numbers(random), every, 0)).toBeGreaterThan(20)
    const times = Array.from(noise(300, 8), (v) => 2 + v)
    expect(chooseCount(coxStudy(values, times, new Array(300).fill(1)), every, 0)).toBeGreaterThan(20)
    // Eight rows leave five to learn from: the grid ends there.
    expect(chooseCount(numbers(random), every.slice(0, 8), 0)).toBeLessThanOrEqual(5)
    const alone = { ...numbers(random), group: new Uint32Array(300) }
    expect(chooseCount(alone, every, 0)).toBeUndefined()
  })
})

describe("what knn cannot do", () => {
  const cases: [string, string, object, (n: number) => Row][] = [
    ["bad-target", "in place of a label", { label: "x", time: "t", event: "e" }, () => ({ signal: 0 })],
    ["bad-target", "'time' and 'event'", {}, () => ({ signal: 0 })],
    ["bad-target", "'event'", { time: "t" }, () => ({ signal: 0 })],
    ["bad-target", "penalty", { label: "x", penalty: 3 }, () => ({ signal: 0 })],
    ["bad-target", "task knn", { task: "regression", label: "x", neighbors: 3 }, () => ({ signal: 0 })],
    ["one-class", "all 12", { label: "x" }, () => ({ signal: 0, labels: { x: 3 } })],
    ["bad-label", "NaN", { label: "x" }, (n) => ({ signal: 0, labels: { x: n ? n % 2 : "NaN" } })],
    ["bad-label", seriesId(0), { label: "x" }, (n) => ({ signal: 0, labels: { x: n || "12 mm" } })],
    ["no-such-column", "'x'", { label: "x" }, () => ({ signal: 0 })],
    ["no-events", "'e'", { time: "t", event: "e" }, (n) => ({ signal: 0, labels: { t: n + 1, e: 0 } })],
  ]
  test.each(cases)("%s: names %s", async (code, says, change, make) => {
    const objects = emptyStore()
    await fillCohort(objects, rows(12, make))
    const failing = fitProbe(objects, ask(change))
    await expect(failing).rejects.toMatchObject({ name: "Fault", kind: "invalid", code })
    await expect(failing).rejects.toThrow(says)
    expect(await objects.list("probes/")).toEqual([])
  })
})

test("over HTTP: fitted as a job, shown, asked, and refused what does not go with it", async () => {
  const { call, finished, data } = api()
  const made = rows(20, (n) => ({ signal: n % 2, labels: { tumour: n % 2 ? "yes" : "no" } }))
  await fillCohort(diskStore(join(data, "objects")), made)
  const body = { name: "p", cohort: "c", task: "knn", label: "tumour", neighbors: 3 }
  const fit = await call("POST", "/v1/probes", body)
  expect(await finished(fit.json.job)).toMatchObject({
    state: "succeeded",
    result: { head: { kind: "knn" } },
  })
  const { json: shown } = await call("GET", "/v1/probes/p")
  expect(shown).toMatchObject({ task: "classification", choice: { of: "neighbors", value: 3 } })
  expect(shown.nearest).toHaveLength(shown.metrics.length)
  const { json: said } = await call("POST", "/v1/probes/p/predict", { series: [seriesId(1)] })
  expect(said.predictions[0].prediction.neighbors).toHaveLength(3)
  expect(said.predictions[0].prediction.neighbors[0]).toEqual({
    series: expect.stringMatching(/^s-/),
    distance: expect.any(Number),
    weight: expect.any(Number),
    label: expect.stringMatching(/yes|no/),
  })
  for (const wrong of [{ neighbors: 0 }, { neighbors: 2000 }, { penalty: 1 }, { task: "regression" }]) {
    const refused = await call("POST", "/v1/probes", { ...body, ...wrong })
    expect(refused.status).toBe(400)
  }
})
