import { expect, test } from "vitest"
import { addMember } from "#shared/cohort/members.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import { api } from "#test/support/api.ts"
import { encoder, now, seriesNo } from "../cohort/scratch.ts"
import { keepMade, storeCohort } from "../retrieval/made.ts"
import { unitVectors } from "../retrieval/random.ts"

const dim = 6
const vectors = unitVectors({ count: 12, dim })
const vector = (n: number) => vectors.slice(n * dim, (n + 1) * dim)
const later = (ms: number) => new Date(now.getTime() + ms)

test("over HTTP a fresh series is found at once, a publish folds it in, and a rollback makes it fresh again", async () => {
  const { call, ports, bugs } = api()
  const { objects } = ports
  await storeCohort(objects, { cohort: "c", dim, vectors: vectors.slice(0, 10 * dim) })
  const first = await publish(objects, { cohort: "c", now })
  const ask = async () => {
    const request = { cohort: "c", query: { vector: [...vector(10)] }, k: 1 }
    return (await call("POST", "/v1/search", request)).json
  }
  expect(await ask()).toMatchObject({ fresh: 0, snapshot: first.snapshot })
  await keepMade(objects, seriesNo(10), vector(10))
  await addMember(objects, "c", { series: seriesNo(10), source: "x" }, now)
  const found = [{ id: seriesNo(10) }]
  expect(await ask()).toMatchObject({ fresh: 1, snapshot: first.snapshot, neighbors: found })
  const second = await publish(objects, { cohort: "c", now: later(1) })
  expect(await ask()).toMatchObject({ fresh: 0, snapshot: second.snapshot, neighbors: found })

  const back = await call("POST", "/v1/cohorts/c/rollback", {})
  expect([back.status, back.json]).toEqual([
    200,
    { snapshot: first.snapshot, from: second.snapshot, count: 10, encoder, fresh: 1, missing: 0 },
  ])
  expect(await ask()).toMatchObject({ fresh: 1, snapshot: first.snapshot, neighbors: found })
  const again = await call("POST", "/v1/cohorts/c/rollback", { snapshot: second.snapshot })
  expect(again.json).toMatchObject({ snapshot: second.snapshot, fresh: 0 })
  const refused = await call("POST", "/v1/cohorts/c/rollback", { snapshot: "newest" })
  expect([refused.status, refused.json.code]).toEqual([400, "bad-request"])
  expect((await call("POST", "/v1/cohorts/d/rollback", {})).json.code).toBe("no-such-cohort")
  expect(bugs).toEqual([])
})

test("a publish takes an order to force it, or none", async () => {
  const { call, ports, finished, bugs } = api()
  await storeCohort(ports.objects, { cohort: "c", dim, vectors })
  for (const body of [undefined, {}, { force: true }]) {
    const { status, json } = await call("POST", "/v1/cohorts/c/publish", body)
    expect(status).toBe(202)
    expect(await finished(json.job)).toMatchObject({
      state: "succeeded",
      result: { promoted: true, reasons: [] },
    })
  }
  expect((await call("POST", "/v1/cohorts/c/publish", { force: "yes" })).status).toBe(400)
  expect(bugs).toEqual([])
}, 60_000)

test("a publish under another encoder makes it the cohort's; one that the store has not fails by name", async () => {
  const { call, ports, finished, bugs } = api()
  const { objects } = ports
  await storeCohort(objects, { cohort: "c", dim, vectors })
  await publish(objects, { cohort: "c", now })
  const other = "other-0123456789ab"
  const change = async () => {
    const { json } = await call("POST", "/v1/cohorts/c/publish", { encoder: other })
    return finished(json.job)
  }
  expect(await change()).toMatchObject({ state: "failed", fault: { code: "no-encoder" } })
  await putJson(objects, keys.encoderPart(other, "encoder.json"), {})
  for (let n = 0; n < 12; n++) await keepMade(objects, seriesNo(n), vector(11 - n), other)
  const { state, result } = await change()
  expect(state).toBe("succeeded")
  expect(result).toMatchObject({
    promoted: true,
    encoder: other,
    change: { from: encoder, lost: 0, probes: [] },
  })
  expect((await call("GET", "/v1/cohorts/c")).json.encoder).toBe(other)
  const query = { vector: [...vector(4)] }
  const answer = await call("POST", "/v1/search", { cohort: "c", query: { ...query, encoder: other }, k: 1 })
  expect(answer.json).toMatchObject({ encoder: other, neighbors: [{ id: seriesNo(7) }] })
  const refused = await call("POST", "/v1/search", { cohort: "c", query: { ...query, encoder }, k: 1 })
  expect([refused.status, refused.json.code]).toEqual([409, "wrong-encoder"])
  expect((await call("POST", "/v1/cohorts/c/publish", { encoder: "best" })).status).toBe(400)
  expect(bugs).toEqual([])
}, 60_000)
