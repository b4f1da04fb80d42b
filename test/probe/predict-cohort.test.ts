import { beforeEach, expect, test } from "vitest"
import { deleteCohort } from "#shared/cohort/cohort.ts"
import { listPredictions } from "#shared/cohort/predictions.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { openProbe, predict } from "#shared/probe/predict.ts"
import { predictCohort } from "#shared/probe/predict-cohort.ts"
import { liveViews } from "#shared/retrieval/live.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { search } from "#shared/retrieval/search.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { emptyStore, encoder, fillCohort, now, seriesId } from "./cohort.ts"

const count = 24
let objects: ObjectStore
beforeEach(async () => {
  objects = emptyStore()
  const rows = Array.from({ length: count }, (_, n) => {
    return { signal: n % 2, labels: { tumour: n % 2 === 1, size: n % 2 }, metadata: { age: n } }
  })
  await fillCohort(objects, rows)
  await fitProbe(objects, { name: "tumour", cohort: "c", label: "tumour", task: "classification", now })
  await fitProbe(objects, { name: "size", cohort: "c", label: "size", task: "regression", now })
})
const all = { cohort: "c", probes: ["tumour", "size"] }

async function found(filter: string) {
  const view = await liveViews(objects)("c")
  const request = { cohort: "c", query: { vector: [1, 2, 3, 4, 5, 6] }, k: count, filter }
  return (await search(objects, view, request)).neighbors
}

test("what probes say of a cohort is kept, and the next publish makes it columns that filters name", async () => {
  const predicted = await predictCohort(objects, all, { now })
  expect(predicted).toMatchObject({
    members: count,
    missing: 0,
    probes: [
      { probe: "tumour", answered: count, columns: ["probe.tumour", "probe.tumour.p"] },
      { probe: "size", answered: count, columns: ["probe.size"] },
    ],
  })
  await publish(objects, { cohort: "c", now })
  const ids = Array.from({ length: count }, (_, n) => seriesId(n))
  const one = await predict(objects, await openProbe(objects, "tumour"), ids)
  const sure = one.flatMap((p) =>
    "prediction" in p && "label" in p.prediction && p.prediction.label === "true" ? [p.series] : [],
  )
  expect(sure.length).toBeGreaterThan(8)
  const neighbors = await found("probe.tumour=true & probe.tumour.p>0.5")
  expect(neighbors.map(({ id }) => id).sort()).toEqual(sure.sort())
  for (const { metadata } of neighbors) {
    expect(metadata).toMatchObject({ "probe.tumour": true, "probe.size": expect.any(Number) })
  }
  const size = await predict(objects, await openProbe(objects, "size"), ids)
  const large = size.flatMap((p) =>
    "prediction" in p && "value" in p.prediction && p.prediction.value > 0.5 ? [p.series] : [],
  )
  expect((await found("probe.size > 0.5")).map(({ id }) => id).sort()).toEqual(large.sort())
})

test("reads each features file once for all probes; what cannot be read has no answer and stops nobody", async () => {
  const damaged = keys.features(encoder.id, seriesId(3))
  await objects.put(damaged, new Uint8Array(50))
  await objects.delete(keys.features(encoder.id, seriesId(4)))
  const reads = new Map<string, number>()
  const counting: ObjectStore = {
    ...objects,
    async get(key, range) {
      if (key.startsWith(keys.allFeatures) && range?.start === 0) reads.set(key, (reads.get(key) ?? 0) + 1)
      return objects.get(key, range)
    },
  }
  expect(await predictCohort(counting, all, { now })).toMatchObject({
    missing: 2,
    probes: [{ answered: count - 2 }, { answered: count - 2 }],
  })
  expect(Math.max(...reads.values())).toBe(1)
  const [{ columns }] = await listPredictions(objects, "c")
  expect(columns["probe.size"]).not.toHaveProperty(seriesId(3))
})

test("a further run takes the place of the last, and a deleted cohort's answers go", async () => {
  await predictCohort(objects, all, { now })
  await fitProbe(objects, {
    name: "size",
    cohort: "c",
    label: "age",
    task: "regression",
    now: new Date(now.getTime() + 1),
  })
  await predictCohort(objects, { cohort: "c", probes: ["size"] }, { now })
  const said = await listPredictions(objects, "c")
  expect(said.map(({ probe }) => probe)).toEqual(["size", "tumour"])
  expect(said[0].version).not.toBe(said[1].version)
  await deleteCohort(objects, "c")
  expect(await objects.list("predictions/")).toEqual([])
})

test("refuses a probe of another encoder, and one that is not there", async () => {
  await expect(predictCohort(objects, { cohort: "c", probes: ["none"] }, { now })).rejects.toMatchObject({
    code: "no-such-probe",
  })
  const other = { cohort: "d", encoder: "other-0123456789ab", createdAt: now.toISOString() }
  await objects.put(keys.cohort("d"), new TextEncoder().encode(JSON.stringify(other)))
  await expect(predictCohort(objects, { cohort: "d", probes: ["size"] }, { now })).rejects.toMatchObject({
    kind: "conflict",
    code: "wrong-encoder",
    message: expect.stringContaining("probe size"),
  })
})
