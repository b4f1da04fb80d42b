import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test, vi } from "vitest"
import { isLoopback } from "#functions/loopback.ts"
import { startServer } from "#functions/serve.ts"
import { Fault } from "#shared/errors.ts"
import { createJob } from "#shared/jobs/record.ts"
import { api } from "#test/support/api.ts"
import { root, tempFolder } from "#test/support/voxkin.ts"

const series = `s-${"0".repeat(32)}`
const idle = { submit: async () => {}, status: async () => undefined, cancel: async () => {} }
const search = { cohort: "c", query: { series }, k: 3 }

describe("faults over HTTP", () => {
  test.each([
    ["POST", "/v1/search", { ...search, cohort: "nowhere" }, 404, "no-such-cohort"],
    ["POST", "/v1/search", search, 404, "not-published"],
    ["POST", "/v1/search", { ...search, cohort: "../c" }, 400, "bad-request"],
    ["POST", "/v1/search", { ...search, extra: 1 }, 400, "bad-request"],
    ["POST", "/v1/search", { ...search, query: {} }, 400, "bad-request"],
    ["POST", "/v1/search", { cohort: "c", queries: [] }, 400, "bad-request"],
    ["GET", `/v1/series/${series}`, undefined, 404, "no-such-series"],
    ["DELETE", `/v1/series/${series}`, undefined, 404, "no-such-series"],
    ["GET", "/v1/series/1", undefined, 400, "bad-request"],
    ["GET", `/v1/cohorts/c/members/${series}`, undefined, 404, "no-such-member"],
    ["PUT", `/v1/cohorts/c/members/${series}`, { metadata: { a: {} } }, 400, "bad-request"],
    ["POST", "/v1/cohorts/nowhere/publish", undefined, 404, "no-such-cohort"],
    ["GET", "/v1/probes/nothing", undefined, 404, "no-such-probe"],
    [
      "POST",
      "/v1/probes",
      { name: "p", cohort: "nowhere", label: "x", task: "regression" },
      404,
      "no-such-cohort",
    ],
    ["POST", "/v1/probes/nothing/predict", { series: [series] }, 404, "no-such-probe"],
    ["GET", `/v1/jobs/j-${"0".repeat(24)}`, undefined, 404, "no-such-job"],
    ["GET", `/v1/jobs/j-${"0".repeat(24)}/events`, undefined, 404, "no-such-job"],
    ["GET", "/nowhere", undefined, 404, "no-such-route"],
  ])("%s %s %j → %i %s", async (method, path, body, status, code) => {
    const { call, bugs } = api()
    await call("PUT", "/v1/cohorts/c")
    const { json, headers, ...answer } = await call(method, path, body)
    expect([answer.status, json.code]).toEqual([status, code])
    expect(headers.get("content-type")).toBe("application/problem+json")
    expect(json).toEqual({
      type: "about:blank",
      title: expect.any(String),
      status,
      detail: expect.any(String),
      code,
      requestId: headers.get("x-request-id"),
    })
    expect(bugs).toEqual([])
  })

  test("malformed JSON, a wrong content type and an empty upload are said", async () => {
    const { app, call } = api()
    const post = (body: string, type: string) =>
      app.request("http://127.0.0.1/v1/search", { method: "POST", body, headers: { "content-type": type } })
    const malformed = await post("{", "application/json")
    expect([malformed.status, (await malformed.json()).code]).toEqual([400, "malformed"])
    const untyped = await post("{}", "text/plain")
    expect([untyped.status, (await untyped.json()).code]).toEqual([400, "content-type"])
    const empty = await call("POST", "/v1/series?cohort=c", new Uint8Array(0))
    expect([empty.status, empty.json.code]).toEqual([400, "empty-body"])
  })

  test.each([
    [{ ...search, k: "3" }, "'k'"],
    [{ ...search, query: { vector: [1, "2"] } }, "'query.vector.1'"],
    [{ ...search, query: { vector: [1], series } }, "'query'"],
    [{ ...search, filter: 5 }, "'filter'"],
    [{ cohort: "c", queries: [{ query: { series }, k: 3, cohort: "c" }] }, "'queries.0'"],
  ])("of a search %j it is said where it is wrong: %s", async (body, where) => {
    const { json } = await api().call("POST", "/v1/search", body)
    expect(json.code).toBe("bad-request")
    expect(json.detail).toContain(where)
  })

  test("a batch cannot ask for more than fits into an answer", async () => {
    const queries = Array.from({ length: 100 }, () => ({ query: { series }, k: 1001 }))
    const { call } = api()
    const { status, json } = await call("POST", "/v1/search", { cohort: "c", queries })
    expect([status, json.code]).toEqual([413, "too-many-neighbors"])
  })

  test("asking for the head of a job's events does not follow it", async () => {
    const { call, ports } = api()
    const status = vi.spyOn(ports.jobs, "status").mockResolvedValue("running")
    const job = await createJob(ports.objects, idle, { kind: "publish", cohort: "c" }, new Date())
    expect((await call("HEAD", `/v1/jobs/${job}/events`)).status).toBe(200)
    const asked = status.mock.calls.length
    await new Promise((done) => setTimeout(done, 500))
    expect(status.mock.calls.length).toBe(asked)
  })

  test("bodies have a limit, also when they do not tell their length", async () => {
    const { app } = api()
    const chunk = new Uint8Array(2 ** 20).fill(32)
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent++ < 9) controller.enqueue(chunk)
        else controller.close()
      },
    })
    const response = await app.request("http://127.0.0.1/v1/search", {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
      ...{ duplex: "half" },
    })
    expect([response.status, (await response.json()).code]).toEqual([413, "body-too-large"])
  })

  test.each([
    ["cut.nii.gz", "truncated"],
    ["png.nii.gz", "not-a-scan"],
    ["nan.nii.gz", "non-finite-voxels"],
  ])(
    "an upload of %s fails its job with a fault and leaves nothing",
    async (file) => {
      const { call, finished, ports } = api()
      const bytes = readFileSync(join(root, "test/fixtures/nifti", file))
      const { json } = await call("POST", "/v1/series?cohort=c&source=mine", new Uint8Array(bytes))
      const job = await finished(json.job)
      expect(job).toMatchObject({ state: "failed", fault: { kind: "invalid" } })
      expect(job.fault.message).not.toContain("voxkin-upload")
      const left = async () => {
        const all = await ports.objects.list("")
        return all.filter((key) => !key.startsWith("jobs/") && !key.startsWith("encoders/"))
      }
      // A job says that it has ended, and then its upload goes.
      await expect.poll(left).toEqual([])
    },
    60_000,
  )

  test("what is no fault is logged and answered bare", async () => {
    const { app, bugs } = api()
    const broken = { ...api().ports, defaultEncoder: () => Promise.reject(new Error("secret detail")) }
    const { createApp } = await import("#functions/api/app.ts")
    const other = createApp(broken, { log: (line) => bugs.push(line) })
    const response = await other.request("http://127.0.0.1/v1/info")
    const problem = await response.json()
    expect([response.status, problem.code]).toEqual([500, "internal"])
    expect(JSON.stringify(problem)).not.toContain("secret")
    expect(bugs).toHaveLength(1)
    expect(JSON.parse(bugs[0])).toMatchObject({ requestId: problem.requestId })
    expect(app).toBeDefined()
  })
})

describe("who may call", () => {
  test("with a key, only who sends it", async () => {
    const { call } = api({ apiKey: "a-key-of-32-visible-characters.." })
    const bare = await call("GET", "/v1/cohorts")
    expect([bare.status, bare.json.code, bare.headers.get("www-authenticate")]).toEqual([
      401,
      "bad-api-key",
      "Bearer",
    ])
    expect((await call("GET", "/v1/cohorts", undefined, { authorization: "Bearer wrong" })).status).toBe(401)
    const key = { authorization: "Bearer a-key-of-32-visible-characters.." }
    expect((await call("GET", "/v1/cohorts", undefined, key)).status).toBe(200)
    expect((await call("GET", "/healthz")).status).toBe(200)
  })

  test("without one, no page of another site", async () => {
    const { call, app } = api()
    expect((await call("GET", "/v1/cohorts", undefined, { origin: "http://127.0.0.1:8787" })).status).toBe(
      200,
    )
    const foreign = await call("GET", "/v1/cohorts", undefined, { origin: "https://example.org" })
    expect([foreign.status, foreign.json.code]).toEqual([403, "foreign-origin"])
    expect((await app.request("http://rebound.example.org:8787/v1/cohorts")).status).toBe(403)
  })

  test("a host beyond loopback is refused without a key, before anything listens", async () => {
    const start = startServer({ data: tempFolder(), host: "0.0.0.0", port: 0 })
    await expect(start).rejects.toThrow(Fault)
    await expect(start).rejects.toMatchObject({ code: "no-api-key" })
    expect(["127.0.0.1", "::1", "localhost", "127.9.9.9"].map(isLoopback)).toEqual([true, true, true, true])
    expect(["0.0.0.0", "::", "127.0.0.1.example.org", "10.0.0.1"].map(isLoopback)).toEqual([
      false,
      false,
      false,
      false,
    ])
  })
})
