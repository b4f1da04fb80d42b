import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { importProbe } from "#shared/probe/exchange/import.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { getProbe } from "#shared/probe/predict.ts"
import { keys } from "#shared/store/keys.ts"
import { emptyStore, fillCohort, now, seriesId } from "#test/probe/cohort.ts"
import { api } from "#test/support/api.ts"

const rows = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ signal: n % 2, labels: { tumour: n % 2 === 1 } }))
const later = (ms: number) => new Date(now.getTime() + ms)

test("versions over HTTP: candidates, asked by name, promoted, rolled back, downloaded whole", async () => {
  const { app, call, ports, finished, data, bugs } = api()
  const { objects } = ports
  await fillCohort(objects, rows(12))
  const asked = { name: "p", cohort: "c", label: "tumour", task: "classification" } as const
  const first = (await fitProbe(objects, { ...asked, penalty: 1, now })).version
  const fit = await call("POST", "/v1/probes", { ...asked, penalty: 100, promote: false })
  const second = (await finished(fit.json.job)).result.version

  const { json: listed } = await call("GET", "/v1/probes/p/versions")
  expect(listed).toMatchObject({
    versions: [
      { version: second, current: false, promotedAt: null },
      { version: first, current: true, record: { version: first } },
    ],
    damaged: [],
  })
  expect((await call("GET", `/v1/probes/p/versions/${second}`)).json.version).toBe(second)

  const ask = (version?: string) =>
    call("POST", "/v1/probes/p/predict", { series: [seriesId(1)], ...(version ? { version } : {}) })
  const byFirst = (await ask()).json
  expect(byFirst.version).toBe(first)
  const bySecond = (await ask(second)).json
  expect(bySecond.version).toBe(second)
  expect(bySecond.predictions).not.toEqual(byFirst.predictions)

  const promoted = await call("POST", "/v1/probes/p/promote", { version: second })
  expect(promoted.json).toEqual({ probe: "p", version: second, from: first, changed: true })
  expect((await call("POST", "/v1/probes/p/promote", { version: second })).json.changed).toBe(false)
  expect((await ask()).json).toEqual(bySecond)
  const back = await call("POST", "/v1/probes/p/rollback", {})
  expect(back.json).toEqual({ probe: "p", version: first, from: second })
  expect((await ask()).json).toEqual(byFirst)
  const none = "20250304T050607008Z-01234567"
  for (const [method, path, body, status, code] of [
    ["POST", "/v1/probes/p/rollback", {}, 409, "nothing-before"],
    ["POST", "/v1/probes/p/promote", { version: none }, 404, "no-such-version"],
    ["POST", "/v1/probes/p/promote", { version: "newest" }, 400, "bad-request"],
    ["POST", "/v1/probes/p/predict", { series: [seriesId(1)], version: none }, 404, "no-such-version"],
    ["GET", `/v1/probes/p/versions/${none}`, undefined, 404, "no-such-version"],
    ["GET", `/v1/probes/p/versions/${second}/parts/none.svg`, undefined, 404, "no-such-part"],
    ["GET", `/v1/probes/p/versions/${second}/parts/..%2Fprobe.json`, undefined, 400, "bad-request"],
    ["GET", "/v1/probes/q/versions", undefined, 404, "no-such-probe"],
  ] as const) {
    const answer = await call(method, path, body)
    expect([path, answer.status, answer.json.code]).toEqual([path, status, code])
  }

  const { json: names } = await call("GET", `/v1/probes/p/versions/${second}/parts`)
  expect(names.parts).toEqual([
    "SHA256SUMS",
    "calibration.svg",
    "head.safetensors",
    "out-of-fold.json",
    "probe.json",
    "roc.svg",
    "training.json",
  ])
  const elsewhere = emptyStore()
  const read = async (part: string) => {
    const response = await app.request(`http://127.0.0.1:8787/v1/probes/p/versions/${second}/parts/${part}`)
    expect(response.headers.get("content-disposition")).toContain(part)
    return new Uint8Array(await response.arrayBuffer())
  }
  await importProbe(elsewhere, { read, promote: true, now })
  expect(await getProbe(elsewhere, "p")).toEqual(await getProbe(objects, "p", second))

  writeFileSync(
    join(data, "objects", keys.probePart("p", second, "probe.json")),
    '{"format":"voxkin-probe-1"}',
  )
  const { json: after } = await call("GET", "/v1/probes/p/versions")
  expect([after.versions.length, after.damaged.map(({ code }: { code: string }) => code)]).toEqual([
    1,
    ["old-probe"],
  ])
  const old = await call("POST", "/v1/probes/p/promote", { version: second })
  expect([old.status, old.json.code]).toEqual([503, "old-probe"])
  expect(bugs).toEqual([])
}, 60_000)

test("a probe is measured on another cohort by a job, and the result is listed with its version", async () => {
  const { call, ports, finished, bugs } = api()
  const { objects } = ports
  await fillCohort(objects, rows(12))
  await fillCohort(objects, rows(8), { cohort: "d", from: 100 })
  const asked = { name: "p", cohort: "c", label: "tumour", task: "classification", penalty: 1 } as const
  const { version } = await fitProbe(objects, { ...asked, now })
  const path = "/v1/probes/p/evaluations"
  const { status, json } = await call("POST", path, { cohort: "d" })
  expect(status).toBe(202)
  const job = await finished(json.job)
  expect(job).toMatchObject({
    state: "succeeded",
    kind: "evaluate",
    cohort: "d",
    result: { count: 8, version },
  })
  expect((await call("GET", path)).json).toEqual({ version, evaluations: [job.result], damaged: [] })
  const { version: next } = await fitProbe(objects, { ...asked, penalty: 2, now: later(1) })
  expect((await call("GET", path)).json).toEqual({ version: next, evaluations: [], damaged: [] })
  expect((await call("GET", `${path}?version=${version}`)).json.evaluations).toEqual([job.result])
  for (const [body, code] of [
    [{ cohort: "none" }, "no-such-cohort"],
    [{ cohort: "d", time: "days" }, "bad-target"],
    [{ cohort: "d", version: "x" }, "bad-request"],
    [{ cohort: "d", labels: "tumour" }, "bad-request"],
  ] as const)
    expect((await call("POST", path, body)).json.code).toBe(code)
  expect(bugs).toEqual([])
}, 60_000)
