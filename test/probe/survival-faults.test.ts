import { describe, expect, test } from "vitest"
import { fitProbe } from "#shared/probe/fit.ts"
import { targetOf } from "#shared/probe/request.ts"
import { api } from "#test/support/api.ts"
import { emptyStore, fillCohort, type Row, seriesId } from "./cohort.ts"
import { ask, cohortOf, rows } from "./survival-cases.ts"

describe("times and events that cannot be learned", () => {
  const fine = (n: number) => ({ days: n + 1, died: n % 2 })
  const cases: [string, string, (n: number) => Row["labels"], object?][] = [
    [
      "bad-label",
      `1 labels in column 'days'.*${seriesId(4)}`,
      (n) => ({ ...fine(n), days: n === 4 ? 0 : n + 1 }),
    ],
    ["bad-label", "are not times above 0", (n) => ({ ...fine(n), days: n === 4 ? -3 : n + 1 })],
    ["bad-label", seriesId(4), (n) => ({ ...fine(n), days: n === 4 ? "12 months" : n + 1 })],
    ["bad-label", seriesId(4), (n) => ({ ...fine(n), days: n === 4 ? "Infinity" : n + 1 })],
    [
      "bad-label",
      `1 labels in column 'died'.*${seriesId(5)}`,
      (n) => ({ ...fine(n), died: n === 5 ? 2 : 1 }),
    ],
    ["bad-label", "0, 1, true or false", (n) => ({ ...fine(n), died: n === 5 ? "dead" : "true" })],
    ["no-events", "none of 12 series", (n) => ({ ...fine(n), died: n % 2 ? "false" : 0 })],
    ["too-few-labels", "events come from one patient", (n) => ({ ...fine(n), died: n === 3 })],
    ["too-few-labels", "at least 4", (n) => ({ ...fine(n), patient: n % 3 })],
    ["too-short-follow-up", "365 in column 'days'", (n) => ({ ...fine(n), days: 365 })],
    ["no-such-column", "'days'", (n) => ({ died: n % 2 })],
    ["no-such-column", "'died'", (n) => ({ days: n + 1 })],
    ["no-such-column", "both 'days' and 'died'", (n) => ({ [n % 2 ? "days" : "died"]: 1 })],
    ["bad-target", "in place of a label", fine, { label: "died" }],
    ["bad-target", "'time'", fine, { time: undefined }],
    ["bad-target", "'event'", fine, { event: undefined }],
    ["bad-target", "two columns", fine, { event: "days" }],
    ["bad-target", "a label only", fine, { task: "classification", label: "died" }],
    ["bad-target", "'label'", fine, { task: "regression", time: undefined, event: undefined }],
  ]
  test.each(cases)("%s: names %s", async (code, named, labels, change) => {
    const objects = emptyStore()
    await fillCohort(
      objects,
      rows(12, (n) => ({ signal: n, labels: labels(n) })),
    )
    const failing = fitProbe(objects, ask(change))
    await expect(failing).rejects.toMatchObject({ name: "Fault", kind: "invalid", code })
    await expect(failing).rejects.toThrow(new RegExp(named))
    expect(await objects.list("probes/")).toEqual([])
  })

  test("columns that do not go with the task are refused before anything is read", async () => {
    const untouchable = new Proxy(emptyStore(), {
      get: () => () => Promise.reject(new Error("the store was asked")),
    })
    await expect(fitProbe(untouchable, ask({ label: "died" }))).rejects.toMatchObject({ code: "bad-target" })
    expect(targetOf(ask())).toEqual({ task: "survival", time: "days", event: "died" })
  })

  test("over HTTP they are a 400 at once, and times that a probe cannot tell are one too", async () => {
    const { call, ports } = api()
    await fillCohort(ports.objects, cohortOf(24))
    const { now: _, ...fit } = ask({ penalty: 100 })
    for (const wrong of [{ label: "died" }, { event: undefined }, { task: "regression" }]) {
      const { status, json } = await call("POST", "/v1/probes", { ...fit, ...wrong })
      expect([status, json.code]).toEqual([400, "bad-target"])
    }
    expect((await call("GET", "/v1/jobs")).json.jobs).toEqual([])

    await fitProbe(ports.objects, ask({ penalty: 100 }))
    await fitProbe(
      ports.objects,
      ask({ name: "age", task: "regression", label: "days", time: undefined, event: undefined, penalty: 1 }),
    )
    const asked = (name: string, times: number[]) =>
      call("POST", `/v1/probes/${name}/predict`, { series: [seriesId(0)], times })
    const { status, json } = await asked("outcome", [2])
    expect([status, json.predictions[0].prediction.survival[0].time]).toEqual([200, 2])
    expect((await call("GET", "/v1/probes/outcome")).json.task).toBe("survival")
    for (const [name, times] of [
      ["outcome", [1e6]],
      ["age", [2]],
    ] as const) {
      const refused = await asked(name, [...times])
      expect([refused.status, refused.json.code]).toEqual([400, "bad-times"])
    }
  })
})
