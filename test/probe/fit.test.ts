import { describe, expect, test } from "vitest"
import { fitProbe } from "#shared/probe/fit.ts"
import { getProbe, listProbes, openProbe, predict } from "#shared/probe/predict.ts"
import type { ProbeRecord } from "#shared/probe/record.ts"
import { keys } from "#shared/store/keys.ts"
import { emptyStore, encoder, fillCohort, now, type Row, seriesId } from "./cohort.ts"

const rows = (count: number, make: (n: number) => Row): Row[] =>
  Array.from({ length: count }, (_, n) => make(n))
const ask = (change: object = {}) =>
  ({ name: "p", cohort: "c", label: "tumour", task: "classification", now, ...change }) as const
const codes = (record: ProbeRecord) => record.notes.map(({ code }) => code)

describe("fitting", () => {
  test("two classes by patient: written, measured beside the trivial predictor, and answering", async () => {
    const objects = emptyStore()
    await fillCohort(
      objects,
      rows(60, (n) => ({
        signal: n % 3 === 0 ? 0.6 : 0,
        labels: { tumour: n % 3 === 0 ? "yes" : "no" },
        metadata: { patient: n >> 1, tumour: "the label counts, not this" },
      })),
    )
    const steps: string[] = []
    const record = await fitProbe(
      objects,
      ask({ onProgress: (p: { message: string }) => steps.push(p.message) }),
    )

    expect(record).toMatchObject({
      format: "voxkin-probe-2",
      name: "p",
      task: "classification",
      label: "tumour",
      classes: [
        { name: "no", count: 40 },
        { name: "yes", count: 20 },
      ],
      encoder,
      pooling: "both",
      dim: 6,
      head: { kind: "logistic" },
      choice: { of: "penalty", by: "cross-validation" },
      training: { cohort: "c", count: 60, patients: 30, split: "by patient", folds: 5, seed: 0 },
      intendedUse: "Research use only; not a medical device.",
    })
    expect(record.metrics.map(({ name }) => name)).toEqual(["auroc", "auprc", "accuracy", "f1", "brier"])
    const [auroc] = record.metrics
    expect(auroc.value).toBeGreaterThan(0.85)
    expect(auroc.low).toBeLessThan(auroc.value)
    expect(auroc.high).toBeGreaterThanOrEqual(auroc.value)
    expect(record.baseline.find(({ name }) => name === "accuracy")!.value).toBeCloseTo(2 / 3, 12)
    expect(record.task === "classification" && record.confusion.flat().reduce((a, b) => a + b)).toBe(60)
    expect(codes(record)).toContain("small-test-set")
    expect(new Set(steps)).toEqual(new Set(["reading features", "evaluating"]))

    expect(await getProbe(objects, "p")).toEqual(record)
    expect(await listProbes(objects)).toEqual([record])
    const probe = await openProbe(objects, "p")
    const [first, second] = await predict(objects, probe, [seriesId(0), seriesId(1)])
    expect(first).toMatchObject({ series: seriesId(0), prediction: { label: "yes" } })
    expect(second).toMatchObject({ series: seriesId(1), prediction: { label: "no" } })
    if (!("prediction" in first && "label" in first.prediction)) throw new Error("no class")
    const { no, yes } = first.prediction.probabilities
    expect(no + yes).toBeCloseTo(1, 12)
  })

  test("many classes, numbers as names, sorted as numbers", async () => {
    const objects = emptyStore()
    await fillCohort(
      objects,
      rows(60, (n) => ({ signal: n % 3, labels: { grade: [2, 10, 30][n % 3] } })),
    )
    const record = await fitProbe(objects, ask({ label: "grade", pooling: "cls" }))
    expect(record).toMatchObject({
      head: { kind: "softmax" },
      training: { patients: null, split: "by series" },
      classes: [{ name: "2" }, { name: "10" }, { name: "30" }],
    })
    expect(record.metrics[0]).toMatchObject({ name: "macro-auroc" })
    expect(record.metrics[0].value).toBeGreaterThan(0.8)
    expect(codes(record)).toContain("patients-unknown")
    const [told] = await predict(objects, await openProbe(objects, "p"), [seriesId(2)])
    expect(told).toMatchObject({ prediction: { label: "30" } })
  })

  test("numbers with a unit, from metadata", async () => {
    const objects = emptyStore()
    await fillCohort(
      objects,
      rows(80, (n) => ({ signal: Math.sin(n), metadata: { volume: 100 + 20 * Math.sin(n) } })),
    )
    const record = await fitProbe(objects, ask({ label: "volume", task: "regression", unit: "ml" }))
    expect(record).toMatchObject({ task: "regression", unit: "ml", head: { kind: "ridge" } })
    const r2 = record.metrics.find(({ name }) => name === "r2")!
    expect(r2.value).toBeGreaterThan(0.7)
    expect(record.baseline.find(({ name }) => name === "r2")!.value).toBeCloseTo(0, 12)
    const [told] = await predict(objects, await openProbe(objects, "p"), [seriesId(11)])
    if (!("prediction" in told && "value" in told.prediction)) throw new Error("no value")
    expect(told.prediction.unit).toBe("ml")
    expect(Math.abs(told.prediction.value - 80)).toBeLessThan(15)
  })

  test("the same seed gives the same record; another version answers from then on, and the first stays", async () => {
    const objects = emptyStore()
    await fillCohort(
      objects,
      rows(24, (n) => ({ signal: n % 2, labels: { tumour: n % 2 === 0 } })),
    )
    const first = await fitProbe(objects, ask())
    const later = new Date(now.getTime() + 1000)
    const second = await fitProbe(objects, ask({ now: later }))
    expect({ ...second, version: first.version, createdAt: first.createdAt }).toEqual(first)
    expect(second.version > first.version).toBe(true)
    expect((await getProbe(objects, "p")).version).toBe(second.version)
    expect(await objects.has(keys.probePart("p", first.version, "probe.json"))).toBe(true)
    const pointer = JSON.parse(new TextDecoder().decode((await objects.get(keys.probeCurrent("p")))!.bytes))
    expect(pointer.history.map((entry: { version: string }) => entry.version)).toEqual([first.version])
    const other = await fitProbe(objects, ask({ now: later, name: "q", seed: 1, penalty: 3 }))
    expect(other.choice).toMatchObject({ of: "penalty", value: 3, by: "caller" })
    expect(other.metrics).not.toEqual(first.metrics)
  })

  test("what was left out or is doubtful is said", async () => {
    const objects = emptyStore()
    await fillCohort(
      objects,
      rows(30, (n) => ({
        signal: 0,
        labels: n < 6 ? { tumour: n === 0 ? null : "" } : { tumour: n < 9 ? "yes" : "no" },
        metadata: { patient: n === 10 ? null : n },
        features: n === 20 ? false : undefined,
      })),
    )
    const record = await fitProbe(objects, ask())
    expect(record.training).toMatchObject({ count: 23, folds: 3 })
    expect(codes(record)).toEqual(
      expect.arrayContaining([
        "labels-missing",
        "features-missing",
        "patients-missing",
        "folds-reduced",
        "small-test-set",
        "not-better-than-trivial",
      ]),
    )
    expect(record.notes[0].message).toContain("6 of 30 series")
  })

  test("a probe that was interrupted before its pointer does not exist", async () => {
    const objects = emptyStore()
    await fillCohort(
      objects,
      rows(12, (n) => ({ signal: n % 2, labels: { tumour: n % 2 } })),
    )
    const cut = {
      ...objects,
      put: (key: string, bytes: Uint8Array, condition?: { ifAbsent: true } | { ifMatch: string }) =>
        key === keys.probeCurrent("p")
          ? Promise.reject(new Error("killed"))
          : objects.put(key, bytes, condition),
    }
    await expect(fitProbe(cut, ask())).rejects.toThrow("killed")
    expect(await listProbes(objects)).toEqual([])
    await fitProbe(objects, ask({ now: new Date(now.getTime() + 1) }))
    expect(await listProbes(objects)).toHaveLength(1)
  })
})

describe("labels that cannot be learned", () => {
  const cases: [string, string, object, (n: number) => Row][] = [
    ["no-such-column", "age, sex", {}, (n) => ({ signal: n, metadata: { age: n }, labels: { sex: "F" } })],
    ["one-class", "all 12", {}, (n) => ({ signal: n, labels: { tumour: "no" } })],
    ["too-many-classes", "--task regression", {}, (n) => ({ signal: n, labels: { tumour: n } })],
    ["too-few-labels", "'yes'", {}, (n) => ({ signal: n, labels: { tumour: n === 4 ? "yes" : "no" } })],
    [
      "too-few-labels",
      "one patient",
      {},
      (n) => ({ signal: n, labels: { tumour: n < 3 }, metadata: { patient: n < 3 ? 1 : n } }),
    ],
    [
      "too-few-labels",
      "at least 4",
      {},
      (n) => ({ signal: n, labels: { tumour: n % 2 }, metadata: { patient: n % 3 } }),
    ],
    ["bad-label", seriesId(4), {}, (n) => ({ signal: n, labels: { tumour: n === 4 ? "NaN" : n % 2 } })],
    [
      "bad-label",
      seriesId(7),
      { task: "regression" },
      (n) => ({ signal: n, labels: { tumour: n === 7 ? "12 mm" : n } }),
    ],
    [
      "bad-label",
      "12 labels",
      { task: "regression" },
      (n) => ({ signal: n, labels: { tumour: n % 2 === 0 } }),
    ],
    ["constant-label", "same number", { task: "regression" }, (n) => ({ signal: n, labels: { tumour: 3 } })],
    ["no-features", encoder.id, {}, (n) => ({ signal: n, labels: { tumour: n % 2 }, features: false })],
  ]
  test.each(cases)("%s: names %s", async (code, named, change, make) => {
    const objects = emptyStore()
    await fillCohort(objects, rows(code === "too-many-classes" ? 51 : 12, make))
    const failing = fitProbe(objects, ask(change))
    await expect(failing).rejects.toMatchObject({ name: "Fault", kind: "invalid", code })
    await expect(failing).rejects.toThrow(named)
    expect(await objects.list("probes/")).toEqual([])
  })

  test("a cohort that is not there", async () => {
    await expect(fitProbe(emptyStore(), ask())).rejects.toMatchObject({ code: "no-such-cohort" })
  })
})
