import { describe, expect, test } from "vitest"
import { fitProbe } from "#shared/probe/fit.ts"
import { fitPanel } from "#shared/probe/panel/fit.ts"
import { macro } from "#shared/probe/panel/macro.ts"
import { getPanel, listPanels } from "#shared/probe/panel/panel.ts"
import { openPanel, predictPanel } from "#shared/probe/panel/predict.ts"
import { probeNames } from "#shared/probe/panel/request.ts"
import { getProbe, openProbe, predict } from "#shared/probe/predict.ts"
import { predictCohort } from "#shared/probe/predict-cohort.ts"
import { api } from "../support/api.ts"
import { emptyStore, fillCohort, now, type Row, seriesId } from "./cohort.ts"

/** Thirty patients with two scans each; `effusion` is known of every second patient only. */
const rows = (): Row[] =>
  Array.from({ length: 60 }, (_, n) => ({
    signal: n % 3 === 0 ? 0.6 : 0,
    metadata: { patient: n >> 1 },
    labels: {
      nodule: n % 3 === 0,
      ...((n >> 1) % 2 === 0 ? { effusion: n % 3 === 0 ? "yes" : "no" } : {}),
      coin: (n >> 2) % 2 === 0,
      always: true,
      grade: n % 3,
    },
  }))
const ask = (change: { name?: string; labels?: string[] } = {}) => ({
  name: "chest",
  cohort: "c",
  labels: ["nodule", "effusion"],
  penalty: 10,
  now,
  ...change,
})

describe("panels", () => {
  test("a probe per label, the same as alone, each on the series that have it", async () => {
    const objects = emptyStore()
    await fillCohort(objects, rows())
    const panel = await fitPanel(objects, ask())
    expect(panel).toMatchObject({
      findings: [
        { label: "nodule", probe: "chest.nodule", count: 60, positive: 20 },
        { label: "effusion", probe: "chest.effusion", count: 30, positive: 10 },
      ],
      leftOut: [],
    })
    expect(await getPanel(objects, "chest")).toEqual(panel)
    expect(await listPanels(objects)).toEqual([panel])

    const within = await getProbe(objects, "chest.effusion")
    const alone = await fitProbe(objects, {
      name: "alone",
      cohort: "c",
      task: "classification",
      label: "effusion",
      penalty: 10,
      now,
    })
    expect({ ...within, name: "alone", version: alone.version }).toEqual(alone)
    expect(within.version).toBe(alone.version)

    const first = await getProbe(objects, "chest.nodule")
    const value = (of: { metrics: { name: string; value: number }[] }, name: string) =>
      of.metrics.find((metric) => metric.name === name)!.value
    for (const name of ["auroc", "auprc", "accuracy", "f1", "brier"]) {
      expect(value(panel, `macro-${name}`)).toBeCloseTo((value(first, name) + value(within, name)) / 2, 12)
    }
    const auroc = panel.metrics.find(({ name }) => name === "macro-auroc")!
    expect(auroc.low).toBeLessThan(auroc.value)
    expect(auroc.high).toBeGreaterThanOrEqual(auroc.value)
  })

  test("asked as one: what each probe says alone, and an error where there are no features", async () => {
    const objects = emptyStore()
    await fillCohort(objects, [...rows(), { signal: 0, features: false }])
    const opened = await openPanel(objects, await fitPanel(objects, ask()))
    const asked = [seriesId(0), seriesId(1), seriesId(60)]
    const [first, , none] = await predictPanel(objects, opened, asked)
    const [alone] = await predict(objects, await openProbe(objects, "chest.nodule"), asked)
    if (!("findings" in first && "prediction" in alone)) throw new Error("no answer")
    expect(first.findings.nodule).toEqual(alone.prediction)
    expect(Object.keys(first.findings)).toEqual(["nodule", "effusion"])
    expect(none).toMatchObject({ error: { code: "no-features" } })

    const { probes } = await predictCohort(objects, { cohort: "c", probes: ["chest"] }, { now })
    expect(probes.map(({ probe, answered }) => [probe, answered])).toEqual([
      ["chest.nodule", 60],
      ["chest.effusion", 60],
    ])
  })

  test("a label of one class, or of more than two, is left out and said; a mistyped one is a fault", async () => {
    const objects = emptyStore()
    await fillCohort(objects, rows())
    const { findings, leftOut } = await fitPanel(objects, ask({ labels: ["always", "nodule", "grade"] }))
    expect(findings.map(({ label }) => label)).toEqual(["nodule"])
    expect(leftOut.map(({ label, code }) => [label, code])).toEqual([
      ["always", "one-class"],
      ["grade", "not-two-classes"],
    ])
    await expect(fitPanel(objects, ask({ labels: ["nodule", "nodul"] }))).rejects.toMatchObject({
      code: "no-such-column",
    })
    await expect(fitPanel(objects, ask({ labels: ["always", "grade"] }))).rejects.toMatchObject({
      code: "one-class",
    })
  })

  test("a panel and a probe share no name", async () => {
    const objects = emptyStore()
    await fillCohort(objects, rows())
    const one = {
      name: "chest",
      cohort: "c",
      task: "classification",
      label: "nodule",
      penalty: 10,
      now,
    } as const
    await fitPanel(objects, ask())
    await expect(fitProbe(objects, one)).rejects.toMatchObject({ code: "name-taken" })
    await fitProbe(objects, { ...one, name: "single" })
    await expect(fitPanel(objects, ask({ name: "single" }))).rejects.toMatchObject({ code: "name-taken" })
  })

  test("names of probes are names, and no two are alike", () => {
    expect(probeNames("chest", ["Lung nodule (> 6 mm)", "lung-nodule-6-mm", "Erguß", "→"])).toEqual([
      "chest.Lung-nodule-6-mm",
      "chest.2",
      "chest.Ergu",
      "chest.4",
    ])
    expect(probeNames("p".repeat(64), ["a"])[0]).toHaveLength(64)
  })

  test("intervals draw a patient once for all findings", () => {
    // Two findings that are the same: the mean is either one, and so must be its interval.
    const patient = Uint32Array.from({ length: 40 }, (_, i) => 7 + (i >> 1))
    const truth = Float64Array.from(patient, (_, i) => Number((i * 7) % 5 < 2))
    const probability = Float64Array.from(patient, (_, i) => ((i * 13) % 17) / 17)
    const one = { patient, truth, probability }
    expect(macro([one, one], 3)).toEqual(macro([one], 3))
  })

  test("over HTTP: fitted as a job, shown, asked", async () => {
    const { call, finished, ports } = api()
    await fillCohort(ports.objects, rows())
    const { now: _, ...request } = ask()
    const { status, json } = await call("POST", "/v1/panels", request)
    expect(status).toBe(202)
    expect(await finished(json.job)).toMatchObject({ state: "succeeded", result: { name: "chest" } })
    expect((await call("GET", "/v1/panels")).json.panels).toHaveLength(1)
    expect((await call("GET", "/v1/panels/chest")).json.findings).toHaveLength(2)
    const { json: said } = await call("POST", "/v1/panels/chest/predict", { series: [seriesId(3)] })
    expect(said.predictions[0].findings.nodule.label).toBe("true")
    expect((await call("GET", "/v1/panels/none")).status).toBe(404)
    expect((await call("POST", "/v1/panels", { ...request, labels: ["nodule"] })).status).toBe(400)
  })
})
