import { gzipSync } from "node:zlib"
import { expect, test } from "vitest"
import { phantom } from "#functions/demo/phantom.ts"
import { writeNifti } from "#shared/volume/nifti-write.ts"
import { api } from "#test/support/api.ts"

/** The main job over HTTP: upload, follow, label, publish, search, fit, predict, delete. Real workers, real encoder. */
test("the main job over HTTP", async () => {
  const { call, finished, bugs } = api()
  expect((await call("PUT", "/v1/cohorts/c")).json).toMatchObject({
    cohort: "c",
    encoder: expect.stringMatching(/^voxkin-/),
  })

  const series: string[] = []
  for (let i = 0; i < 6; i++) {
    const bytes = gzipSync(writeNifti(phantom(i).volume), { level: 1 })
    const { status, json } = await call("POST", `/v1/series?cohort=c&source=phantom-${i}`, bytes)
    expect(status).toBe(202)
    const job = await finished(json.job)
    expect(job).toMatchObject({ state: "succeeded", kind: "embed" })
    series.push(job.result.series[0].series)
  }
  expect(new Set(series).size).toBe(6)

  for (const [i, id] of series.entries()) {
    const columns = { metadata: { age: 40 + 5 * i, patient: `p${i}` }, labels: { odd: i % 2 === 1 } }
    const { status, json } = await call("PUT", `/v1/cohorts/c/members/${id}`, columns)
    expect(status).toBe(200)
    expect(json).toMatchObject({ series: id, source: `phantom-${i}`, ...columns })
  }

  await call("PUT", "/v1/cohorts/second")
  const joined = await call("PUT", `/v1/cohorts/second/members/${series[0]}`, { labels: { odd: true } })
  expect([joined.status, joined.json.labels]).toEqual([200, { odd: true }])
  expect((await call("DELETE", "/v1/cohorts/second")).status).toBe(204)

  const notYet = await call("POST", "/v1/search", { cohort: "c", query: { series: series[0] }, k: 2 })
  expect([notYet.status, notYet.json.code]).toEqual([404, "not-published"])

  const publish = await call("POST", "/v1/cohorts/c/publish")
  expect(await finished(publish.json.job)).toMatchObject({
    state: "succeeded",
    result: { count: 6, promoted: true },
  })
  const { json: listed } = await call("GET", "/v1/cohorts/c/snapshots")
  expect(listed.snapshots).toMatchObject([{ count: 6, live: true }])

  const query = { query: { series: series[0] }, k: 5 }
  const { json: answer } = await call("POST", "/v1/search", { cohort: "c", ...query })
  expect(answer).toMatchObject({ plan: "exact", exact: true, scanned: 5, shortBy: 0 })
  expect(answer.neighbors.map((n: { id: string }) => n.id).sort()).toEqual(series.slice(1).sort())
  const { json: some } = await call("POST", "/v1/search", { cohort: "c", ...query, filter: "age>=50" })
  expect(some).toMatchObject({ plan: "exact-filtered", shortBy: 1 })
  expect(some.neighbors.every((n: { metadata: { age: number } }) => n.metadata.age >= 50)).toBe(true)
  const { json: batch } = await call("POST", "/v1/search", {
    cohort: "c",
    queries: [query, { ...query, k: 1 }],
  })
  expect(batch.answers.map((a: { neighbors: [] }) => a.neighbors.length)).toEqual([5, 1])
  expect(batch.answers[0].neighbors).toEqual(answer.neighbors)

  const fit = await call("POST", "/v1/probes", { name: "age", cohort: "c", label: "age", task: "regression" })
  expect(await finished(fit.json.job)).toMatchObject({
    state: "succeeded",
    result: { name: "age", task: "regression" },
  })
  const { json: said } = await call("POST", "/v1/probes/age/predict", { series: series.slice(0, 2) })
  expect(said.predictions).toMatchObject([{ series: series[0] }, { series: series[1] }])

  const whole = await call("POST", "/v1/cohorts/c/predictions", { probes: ["age"] })
  expect(await finished(whole.json.job)).toMatchObject({
    state: "succeeded",
    result: { members: 6, missing: 0 },
  })
  const { json: stored } = await call("GET", "/v1/cohorts/c/predictions")
  expect(stored.predictions).toMatchObject([{ probe: "age", columns: { "probe.age": 6 } }])
  expect(await finished((await call("POST", "/v1/cohorts/c/publish")).json.job)).toMatchObject({
    state: "succeeded",
  })
  const { json: filtered } = await call("POST", "/v1/search", {
    cohort: "c",
    ...query,
    filter: "probe.age > -1000",
  })
  expect(filtered.neighbors[0].metadata["probe.age"]).toEqual(expect.any(Number))
  const unknown = await call("POST", "/v1/cohorts/c/predictions", { probes: ["none"] })
  expect([unknown.status, unknown.json.code]).toEqual([404, "no-such-probe"])

  expect((await call("GET", "/v1/info")).json.counts).toEqual({ cohorts: 1, series: 6, probes: 1, jobs: 10 })
  const { json: kept } = await call("GET", `/v1/series/${series[1]}`)
  expect(kept).toMatchObject({ cohorts: ["c"], encoders: [{ receipt: { series: series[1] } }] })

  expect((await call("DELETE", `/v1/series/${series[1]}`)).status).toBe(204)
  expect((await call("GET", `/v1/series/${series[1]}`)).status).toBe(404)
  const { json: without } = await call("POST", "/v1/search", { cohort: "c", ...query })
  expect(without.neighbors.map((n: { id: string }) => n.id)).not.toContain(series[1])
  expect(without.shortBy).toBe(1)
  expect((await call("DELETE", "/v1/cohorts/c")).status).toBe(204)
  expect((await call("GET", "/v1/cohorts/c")).status).toBe(404)
  expect(bugs).toEqual([])
}, 180_000)
