import { describe, expect, test } from "vitest"
import { createCohort, deleteCohort } from "#shared/cohort/cohort.ts"
import { addMember } from "#shared/cohort/members.ts"
import { encodeFeatures } from "#shared/features/encode.ts"
import { evaluateOn } from "#shared/probe/external/evaluate.ts"
import {
  type EvaluateRequest,
  ExternalEvaluation,
  listEvaluations,
} from "#shared/probe/external/evaluation.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { getProbe, openProbe, predict } from "#shared/probe/predict.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { emptyStore, encoder, featuresWith, fillCohort, now, type Row, seriesId } from "./cohort.ts"
import { cohortOf, ask as survival } from "./survival-cases.ts"

const rows = (count: number, make: (n: number) => Row): Row[] =>
  Array.from({ length: count }, (_, n) => make(n))
const fitted = now
const at = new Date(now.getTime() + 5000)
const evaluate = (objects: ObjectStore, change: Partial<EvaluateRequest> = {}) =>
  evaluateOn(objects, { name: "p", cohort: "d", ...change }, { now: at })
const codes = ({ notes }: ExternalEvaluation) => notes.map(({ code }) => code)
const metric = ({ metrics }: Pick<ExternalEvaluation, "metrics">, name: string) =>
  metrics.find((one) => one.name === name)!
const trivial = ({ baseline }: ExternalEvaluation, name: string) => metric({ metrics: baseline }, name)

/** 30 series of 15 patients in cohort `c`, ten of them with tumour, and a probe on them. */
async function tumours(labels: (n: number) => string = (n) => (n % 3 === 0 ? "yes" : "no")) {
  const objects = emptyStore()
  const signal = (n: number) => (n % 3 === 0 ? 0.8 : 0)
  const made = rows(30, (n) => ({
    signal: signal(n),
    labels: { tumour: labels(n) },
    metadata: { patient: n >> 1 },
  }))
  await fillCohort(objects, made)
  await fitProbe(objects, {
    name: "p",
    cohort: "c",
    label: "tumour",
    task: "classification",
    penalty: 10,
    now: fitted,
  })
  return objects
}

/** Series 100 on, in cohort `d`: half with tumour, the last but weakly. */
const elsewhere = (count: number, change: (n: number) => { tumour?: string | null } = () => ({})) =>
  rows(count, (n) => ({
    signal: n % 2 === 0 ? 0.8 - n / 40 : 0,
    labels: { tumour: n % 2 === 0 ? "yes" : "no", ...(change(n) as Row["labels"]) },
    metadata: { patient: `d${n}` },
  }))

async function probabilities(objects: ObjectStore, from: number, count: number) {
  const ids = rows(count, () => ({ signal: 0 })).map((_, n) => seriesId(from + n))
  return (await predict(objects, await openProbe(objects, "p"), ids)).map((told) => {
    if (!("prediction" in told && "label" in told.prediction)) throw new Error("no class")
    return told.prediction.probabilities.yes
  })
}

describe("on another cohort", () => {
  test("two classes: every pair counted by hand, beside the shares of the training labels; kept and listed", async () => {
    const objects = await tumours()
    await fillCohort(objects, elsewhere(20), { cohort: "d", from: 100 })
    const found = await evaluate(objects)
    const p = await probabilities(objects, 100, 20)
    const [yes, no] = [p.filter((_, n) => n % 2 === 0), p.filter((_, n) => n % 2 === 1)]
    const pairs = yes.flatMap((a) => no.map((b) => (a > b ? 1 : a === b ? 0.5 : 0)))
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
    expect(metric(found, "auroc").value).toBeCloseTo(mean(pairs), 12)
    expect(metric(found, "brier").value).toBeCloseTo(mean(p.map((q, n) => (q - (n % 2 ? 0 : 1)) ** 2)), 12)
    expect(metric(found, "accuracy").value).toBeCloseTo(
      mean(p.map((q, n) => Number(q > 0.5 === (n % 2 === 0)))),
      12,
    )
    // A third of the training labels is "yes", of these half: (1/3 − 1)² / 2 + (1/3)² / 2.
    expect(trivial(found, "brier").value).toBeCloseTo(5 / 18, 12)
    expect(trivial(found, "auroc").value).toBe(0.5)
    const { curve } = found.reliability!
    expect(curve.reduce((sum, { count }) => sum + count, 0)).toBe(20)
    expect(curve.reduce((sum, { predicted, count }) => sum + predicted * count, 0)).toBeCloseTo(
      20 * mean(p),
      10,
    )
    expect(found).toMatchObject({
      probe: "p",
      version: (await getProbe(objects, "p")).version,
      cohort: "d",
      columns: { label: "tumour" },
      unit: null,
      count: 20,
      patients: 20,
      leftOut: {
        unlabelled: 0,
        unknownClass: 0,
        trainingSeries: 0,
        trainingPatients: 0,
        withoutFeatures: 0,
      },
      classes: [
        { name: "no", count: 10 },
        { name: "yes", count: 10 },
      ],
    })
    expect(found.confusion!.flat().reduce((a, b) => a + b)).toBe(20)
    expect(codes(found)).toEqual(["small-test-set"])
    ExternalEvaluation.parse(found)
    expect(await listEvaluations(objects, "p", found.version)).toEqual([found])
    const again = await evaluate(objects)
    expect(again).toEqual(found)
  })

  test("training series and further series of training patients are left out and counted", async () => {
    const objects = await tumours()
    await fillCohort(objects, elsewhere(20), { cohort: "d", from: 100 })
    const alone = await evaluate(objects)
    // Four that were trained on, and three new ones of patients 0, 1 and 2 of the training cohort.
    for (const n of [0, 1, 2, 9])
      await addMember(
        objects,
        "d",
        { series: seriesId(n), source: "x", labels: { tumour: n % 3 ? "no" : "yes" } },
        now,
      )
    const kin = rows(3, (n) => ({ signal: 0, labels: { tumour: "no" }, metadata: { patient: n } }))
    await fillCohort(objects, kin, { cohort: "d", from: 200 })
    const found = await evaluate(objects)
    expect(found.leftOut).toMatchObject({ trainingSeries: 4, trainingPatients: 3 })
    expect(found.metrics).toEqual(alone.metrics)
    expect(codes(found)).toEqual(["training-series", "training-patients", "small-test-set"])
    const own = evaluate(objects, { cohort: "c" })
    await expect(own).rejects.toMatchObject({ kind: "invalid", code: "nothing-new" })

    await deleteCohort(objects, "c")
    const unknown = await evaluate(objects)
    expect(unknown).toMatchObject({ count: 23, leftOut: { trainingSeries: 4, trainingPatients: 0 } })
    expect(codes(unknown)).toContain("training-patients-unknown")
  })

  test("classes that the probe does not know are counted and left out; one class leaves no AUROC", async () => {
    const objects = await tumours()
    const labels = (n: number) => (n < 3 ? { tumour: "perhaps" } : n < 4 ? { tumour: null } : {})
    await fillCohort(objects, elsewhere(16, labels), { cohort: "d", from: 100 })
    const found = await evaluate(objects)
    expect(found).toMatchObject({ count: 12, leftOut: { unknownClass: 3, unlabelled: 1 } })
    expect(found.notes.find(({ code }) => code === "unknown-classes")!.message).toContain("'perhaps' 3")
    await fillCohort(
      objects,
      elsewhere(8, () => ({ tumour: "no" })),
      { cohort: "e", from: 300 },
    )
    const single = await evaluate(objects, { cohort: "e" })
    expect(metric(single, "auroc")).toMatchObject({ value: null, low: null, high: null })
    expect(metric(single, "f1").value).toBeNull()
    expect(metric(single, "brier").value).toBeGreaterThan(0)
    expect(single.notes.find(({ code }) => code === "class-absent")!.message).toContain("'yes'")
    ExternalEvaluation.parse(JSON.parse(JSON.stringify(single)))
    await fillCohort(
      objects,
      elsewhere(8, () => ({ tumour: "1" })),
      { cohort: "f", from: 400 },
    )
    const foreign = evaluate(objects, { cohort: "f" })
    await expect(foreign).rejects.toMatchObject({ code: "no-known-class" })
    await expect(foreign).rejects.toThrow("'no', 'yes'")
  })

  test("three classes of which one is absent: what needs all of them is not defined", async () => {
    const objects = await tumours((n) => ["no", "perhaps", "yes"][n % 3])
    await fillCohort(objects, elsewhere(12), { cohort: "d", from: 100 })
    const found = await evaluate(objects)
    expect(metric(found, "macro-auroc").value).toBeNull()
    expect(metric(found, "accuracy").value).toBeGreaterThanOrEqual(0)
    expect(found.classes).toMatchObject([{ count: 6 }, { name: "perhaps", count: 0 }, { count: 6 }])
    // Shares of a third each: of every series (1/3 − 1)² + 2 · (1/3)².
    expect(trivial(found, "brier").value).toBeCloseTo(2 / 3, 12)
  })

  test("numbers under another column, in another unit; the trivial predictor is the training mean", async () => {
    const objects = emptyStore()
    const volume = (n: number) => 100 + 20 * Math.sin(n)
    await fillCohort(
      objects,
      rows(40, (n) => ({ signal: Math.sin(n), labels: { volume: volume(n) } })),
    )
    await fitProbe(objects, {
      name: "p",
      cohort: "c",
      label: "volume",
      task: "regression",
      unit: "ml",
      penalty: 10,
      now: fitted,
    })
    const theirs = (n: number) => ({ signal: Math.sin(n), labels: { size: volume(n) } })
    await fillCohort(objects, rows(12, theirs), { cohort: "d", from: 100 })
    await expect(evaluate(objects)).rejects.toMatchObject({ code: "no-such-column" })
    const found = await evaluate(objects, { label: "size", unit: "litres" })
    const mean = rows(40, theirs).reduce((sum, { labels }) => sum + Number(labels!.size) / 40, 0)
    const errors = rows(12, theirs).map(({ labels }) => Math.abs(Number(labels!.size) - mean))
    expect(trivial(found, "mae").value).toBeCloseTo(errors.reduce((a, b) => a + b) / 12, 10)
    expect(metric(found, "mae").value).toBeLessThan(trivial(found, "mae").value!)
    const ids = rows(12, theirs).map((_, n) => seriesId(100 + n))
    const held = (await predict(objects, await openProbe(objects, "p"), ids)).filter((told, n) => {
      if (!("prediction" in told && "value" in told.prediction)) throw new Error("no value")
      const { low, high, share } = told.prediction
      expect(share).toBe(0.9)
      return low! <= volume(n) && volume(n) <= high!
    })
    expect(metric(found, "coverage-90").value).toBeCloseTo(held.length / 12, 12)
    expect(found).toMatchObject({ unit: "litres", patients: null, columns: { label: "size" } })
    expect(codes(found)).toEqual(
      expect.arrayContaining(["unit-differs", "patients-unknown", "training-patients-unknown"]),
    )
    await fillCohort(
      objects,
      rows(6, (n) => ({ signal: n, labels: { volume: 3 } })),
      { cohort: "e", from: 300 },
    )
    const constant = await evaluate(objects, { cohort: "e" })
    expect(metric(constant, "r2").value).toBeNull()
    expect(metric(constant, "rmse").value).toBeGreaterThan(0)
    expect(codes(constant)).toContain("constant-label")
  })

  test("by neighbors: three near ones each, none of them of the cohort that is asked about", async () => {
    const objects = await tumours()
    await fillCohort(objects, elsewhere(20), { cohort: "d", from: 100 })
    await fitProbe(objects, { name: "p", cohort: "c", label: "tumour", task: "knn", neighbors: 3, now: at })
    const found = await evaluate(objects)
    const p = await probabilities(objects, 100, 20)
    const brier = p.reduce((sum, q, n) => sum + (q - (n % 2 ? 0 : 1)) ** 2 / 20, 0)
    expect(metric(found, "brier").value).toBeCloseTo(brier, 12)
    expect(found).toMatchObject({ count: 20, leftOut: { trainingSeries: 0 } })
  })

  test("survival: a C-index counted by hand, judged at the cohort's own event times within the follow-up", async () => {
    const objects = emptyStore()
    await fillCohort(objects, cohortOf(60))
    await fitProbe(objects, { ...survival(), name: "p", penalty: 10 })
    const theirs = Array.from({ length: 16 }, (_, n) => ({
      signal: (n % 4) / 2,
      labels: { days: 500 - 100 * (n % 4) + n, died: n % 5 === 0 ? 0 : 1 },
      metadata: { patient: `d${n}` },
    }))
    await fillCohort(objects, theirs, { cohort: "d", from: 100 })
    const found = await evaluate(objects)
    const told = await predict(
      objects,
      await openProbe(objects, "p"),
      theirs.map((_, n) => seriesId(100 + n)),
    )
    const risk = told.map((one) =>
      "prediction" in one && "risk" in one.prediction ? one.prediction.risk : Number.NaN,
    )
    let [right, pairs] = [0, 0]
    for (const [i, a] of theirs.map(({ labels }) => labels).entries())
      for (const [j, b] of theirs.map(({ labels }) => labels).entries())
        if (a.died && a.days < b.days) {
          pairs++
          right += risk[i] > risk[j] ? 1 : 0
        }
    expect(metric(found, "c-index").value).toBeCloseTo(right / pairs, 12)
    expect(trivial(found, "c-index").value).toBe(0.5)
    const { followUp } = (await getProbe(objects, "p")) as { followUp: number }
    expect(found).toMatchObject({ events: 12, unit: "days", columns: { time: "days", event: "died" } })
    expect(found.horizon!.brierTo).toBeLessThanOrEqual(followUp)
    expect(metric(found, "integrated-brier").value).toBeGreaterThan(0)

    const late = rows(8, (n) => ({ signal: n, labels: { days: 1e6 + n, died: 1 } }))
    await fillCohort(objects, late, { cohort: "e", from: 300 })
    const past = await evaluate(objects, { cohort: "e" })
    expect(metric(past, "integrated-brier").value).toBeNull()
    expect(codes(past)).toContain("no-common-times")
    const alive = rows(8, (n) => ({ signal: n, labels: { days: 10 + n, died: 0 } }))
    await fillCohort(objects, alive, { cohort: "f", from: 400 })
    await expect(evaluate(objects, { cohort: "f" })).rejects.toMatchObject({ code: "no-events" })
    await expect(evaluate(objects, { label: "days" })).rejects.toMatchObject({ code: "bad-target" })
  })
})

describe("refused", () => {
  test("features of another encoder, other weights, or too few patients", async () => {
    const objects = await tumours()
    await createCohort(objects, "d", "other-0123456789ab", now)
    const wrong = { kind: "conflict", code: "wrong-encoder" }
    await expect(evaluate(objects)).rejects.toMatchObject(wrong)
    await fillCohort(objects, elsewhere(8), { cohort: "e", from: 100 })
    for (let n = 100; n < 108; n++) {
      const other = featuresWith(n, 0, { encoder: { ...encoder, digest: "f".repeat(64) } })
      await objects.put(keys.features(encoder.id, seriesId(n)), encodeFeatures(other))
    }
    await expect(evaluate(objects, { cohort: "e" })).rejects.toMatchObject(wrong)
    await fillCohort(objects, elsewhere(3), { cohort: "f", from: 300 })
    await expect(evaluate(objects, { cohort: "f" })).rejects.toMatchObject({
      kind: "invalid",
      code: "too-few-labels",
    })
    await expect(evaluate(objects, { cohort: "none" })).rejects.toMatchObject({ code: "no-such-cohort" })
    await expect(evaluate(objects, { name: "none" })).rejects.toMatchObject({ code: "no-such-probe" })
  })

  test("a damaged list of training series: nothing could be left out", async () => {
    const objects = await tumours()
    await fillCohort(objects, elsewhere(8), { cohort: "d", from: 100 })
    const { version } = await getProbe(objects, "p")
    const key = keys.probePart("p", version, "training.json")
    await objects.put(key, new TextEncoder().encode("[]"))
    const refused = { kind: "unavailable", code: "corrupt-probe" }
    await expect(evaluate(objects)).rejects.toMatchObject(refused)
    await objects.delete(key)
    await expect(evaluate(objects)).rejects.toMatchObject(refused)
    expect(await listEvaluations(objects, "p", version)).toEqual([])
  })
})
