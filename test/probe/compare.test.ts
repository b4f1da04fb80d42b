import { expect, test } from "vitest"
import { memberSeries } from "#shared/cohort/members.ts"
import { keepFeatures } from "#shared/features/keep.ts"
import { compareEncoders } from "#shared/probe/compare.ts"
import { type FitOptions, fitProbe } from "#shared/probe/fit.ts"
import { prng } from "#shared/probe/math/prng.ts"
import { mainOf } from "#shared/probe/measure/score.ts"
import { predictCohort } from "#shared/probe/predict-cohort.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { emptyStore, encoder, featuresWith, fillCohort, now, type Row, seriesId } from "./cohort.ts"

const other = { id: "other-0123456789ab", digest: "a".repeat(64), recipeDigest: "b".repeat(64) }
const count = 60

/** Classes, a volume and a survival time that follow one signal, a patient for every two series. */
function rows(): Row[] {
  const random = prng(3)
  return Array.from({ length: count }, (_, n) => {
    const signal = random() - 0.5
    return {
      signal: 2 * signal,
      labels: { nodule: signal + 0.4 * (random() - 0.5) > 0, ml: 50 + 40 * signal + 5 * random() },
      metadata: { patient: `p${n >> 1}`, days: 10 + 900 * Math.exp(-3 * signal) * random(), died: n % 3 > 0 },
    }
  })
}

/** Gives the first `most` of the cohort features under the other encoder: the same signal, `share` of it. */
async function reembed(objects: ObjectStore, share: number, most = count) {
  for (const [n, { signal }] of rows().slice(0, most).entries()) {
    await keepFeatures(objects, featuresWith(n, share * signal, { encoder: other }))
  }
}

async function cohort(): Promise<ObjectStore> {
  const objects = emptyStore()
  await fillCohort(objects, rows())
  return objects
}

const fit = (objects: ObjectStore, more: Partial<FitOptions>) =>
  fitProbe(objects, { name: "nodule", cohort: "c", task: "classification", label: "nodule", now, ...more })

const change = { cohort: "c", from: encoder.id, to: other.id }

test("under the same features every probe does as its record says, and nothing changes", async () => {
  const objects = await cohort()
  await reembed(objects, 1)
  const records = [
    await fit(objects, { pooling: "mean", penalty: 2 }),
    await fit(objects, { name: "ml", task: "regression", label: "ml", seed: 4 }),
    await fit(objects, { name: "near", task: "knn", label: "nodule", neighbors: 5, folds: 4 }),
    await fit(objects, { name: "died", task: "survival", label: undefined, time: "days", event: "died" }),
  ]
  const stored = await objects.list(keys.probes)
  const changes = await compareEncoders(objects, change)
  expect(await objects.list(keys.probes)).toEqual(stored)
  const byName = records.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  expect(changes.map(({ probe }) => probe)).toEqual(byName.map(({ name }) => name))
  for (const [i, { name, version, metrics }] of byName.entries()) {
    const { name: metric, value } = mainOf(metrics)
    const compared = { metric, series: count, before: value, after: value, low: 0, high: 0 }
    expect(changes[i]).toEqual({ probe: name, version, compared })
  }
})

test("where the signal is gone the fall is found, with an interval that excludes none", async () => {
  const objects = await cohort()
  await reembed(objects, 0)
  await fit(objects, {})
  const [{ compared }] = await compareEncoders(objects, change)
  expect(compared!.before).toBeGreaterThan(0.8)
  expect(compared!.after).toBeLessThan(0.7)
  expect(compared!.low).toBeLessThan(compared!.after - compared!.before)
  expect(compared!.high).toBeLessThan(0)
})

test("only what has features under both is compared, with the same series on either side", async () => {
  const objects = await cohort()
  await reembed(objects, 1, 40)
  await fit(objects, {})
  const [{ compared }] = await compareEncoders(objects, change)
  expect(compared!.series).toBe(40)
  expect(compared!.after).toBe(compared!.before)
})

test("probes of other cohorts, of other encoders and candidates are none of this cohort's", async () => {
  const objects = await cohort()
  await fillCohort(objects, rows(), { cohort: "d", from: 100 })
  await reembed(objects, 1)
  await fit(objects, { cohort: "d" })
  await fit(objects, { name: "candidate", promote: false })
  expect(await compareEncoders(objects, change)).toEqual([])
  await fit(objects, { name: "own" })
  const progress: unknown[] = []
  const onProgress = (step: unknown) => progress.push(step)
  expect(await compareEncoders(objects, { ...change, onProgress })).toMatchObject([{ probe: "own" }])
  expect(progress).toEqual([{ done: 0, total: 1, message: "comparing probe own" }])
  expect(await compareEncoders(objects, { ...change, from: other.id, to: encoder.id })).toEqual([])
})

test("a probe of another cohort whose predictions this one holds is compared on its own", async () => {
  const objects = await cohort()
  await fillCohort(objects, rows().slice(0, 50), { cohort: "d", from: 100 })
  await fit(objects, { name: "elsewhere", cohort: "d" })
  await fit(objects, {})
  await predictCohort(objects, { cohort: "c", probes: ["elsewhere"] }, { now })
  await reembed(objects, 1)
  const alone = await compareEncoders(objects, change)
  expect(alone).toMatchObject([
    { probe: "elsewhere", compared: null, message: expect.stringContaining("no series of d") },
    { probe: "nodule", compared: { series: count } },
  ])
  for (const [n, { signal }] of rows().slice(0, 50).entries())
    await keepFeatures(objects, featuresWith(100 + n, signal, { encoder: other }))
  const changes = await compareEncoders(objects, change)
  expect(changes).toMatchObject([{ probe: "elsewhere", compared: { series: 50 } }, { probe: "nodule" }])
})

test("what cannot be compared says why, and does not hide the rest", async () => {
  const objects = await cohort()
  await fit(objects, {})
  await fit(objects, { name: "ml", task: "regression", label: "ml" })
  const none = await compareEncoders(objects, change)
  expect(none).toMatchObject([
    {
      probe: "ml",
      compared: null,
      message: expect.stringContaining("no series of c has features under both"),
    },
    { probe: "nodule", compared: null },
  ])
  // Of the few that are there, all are of one class.
  const positive = rows().flatMap(({ labels }, n) => (labels!.nodule ? [n] : []))
  for (const n of positive) await keepFeatures(objects, featuresWith(n, 1, { encoder: other }))
  const some = await compareEncoders(objects, change)
  expect(some).toMatchObject([
    { probe: "ml", compared: { series: positive.length } },
    { probe: "nodule", compared: null, message: expect.stringContaining("'nodule'") },
  ])
  expect(await memberSeries(objects, "c")).toContain(seriesId(0))
})
