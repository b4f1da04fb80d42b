import { beforeEach, describe, expect, test } from "vitest"
import { decodePooled, encodeFeatures } from "#shared/features/encode.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { getProbe, openProbe, Prediction, predict, predictPooled } from "#shared/probe/predict.ts"
import { keys } from "#shared/store/keys.ts"
import type { ByteRange, ObjectStore } from "#shared/store/store.ts"
import { emptyStore, encoder, featuresWith, fillCohort, now, seriesId } from "./cohort.ts"

let objects: ObjectStore
beforeEach(async () => {
  objects = emptyStore()
  const rows = Array.from({ length: 20 }, (_, n) => ({ signal: n % 2, labels: { tumour: n % 2 === 1 } }))
  await fillCohort(objects, rows)
  await fitProbe(objects, { name: "p", cohort: "c", label: "tumour", task: "classification", now })
})
const put = (n: number, bytes: Uint8Array) => objects.put(keys.features(encoder.id, seriesId(n)), bytes)

describe("predicting", () => {
  test("from memory gives what the cache gives", async () => {
    const probe = await openProbe(objects, "p")
    const pooled = decodePooled(encodeFeatures(featuresWith(3, 1)), "memory")
    const [cached] = await predict(objects, probe, [seriesId(3)])
    expect(predictPooled(probe, pooled)).toEqual(cached)
    expect(cached).toMatchObject({ prediction: { label: "true" } })
  })

  test("goes on past a series without features and one with a damaged file, in order", async () => {
    const bytes = encodeFeatures(featuresWith(1, 1))
    bytes[bytes.indexOf(0x7d) + 40] ^= 1
    await put(1, bytes)
    const told = await predict(objects, await openProbe(objects, "p"), [0, 1, 99, 3].map(seriesId))
    for (const prediction of told) Prediction.parse(prediction)
    expect(told.map(({ series }) => series)).toEqual([0, 1, 99, 3].map(seriesId))
    expect(told[1]).toMatchObject({ error: { code: "corrupt-features" } })
    expect(told[2]).toMatchObject({ error: { code: "no-features" } })
    expect(told[3]).toMatchObject({ prediction: { label: "true" } })
  })

  test.each([
    ["other weights", { ...encoder, digest: "f".repeat(64) }],
    ["another recipe", { ...encoder, recipeDigest: "f".repeat(64) }],
    ["another encoder", { ...encoder, id: "other-0123456789ab" }],
  ])("refuses features of %s", async (_, other) => {
    const features = featuresWith(0, 1, { encoder: other })
    await put(0, encodeFeatures(features))
    const probe = await openProbe(objects, "p")
    const refused = { kind: "conflict", code: "wrong-encoder" }
    await expect(predict(objects, probe, [seriesId(0)])).rejects.toMatchObject(refused)
    expect(() => predictPooled(probe, features)).toThrow(expect.objectContaining(refused))
  })

  test("refuses features in memory that are not finite", async () => {
    const features = featuresWith(3, Number.NaN)
    const probe = await openProbe(objects, "p")
    expect(() => predictPooled(probe, features)).toThrow(expect.objectContaining({ code: "not-finite" }))
  })

  test("reads heads of features files only", async () => {
    const ranges: (ByteRange | undefined)[] = []
    const watched = {
      ...objects,
      get: (key: string, range?: ByteRange) => {
        ranges.push(range)
        return objects.get(key, range)
      },
    }
    await predict(watched, await openProbe(objects, "p"), [seriesId(0), seriesId(1)])
    expect(ranges).toHaveLength(2)
    expect(ranges.every((range) => range?.start === 0)).toBe(true)
  })
})

describe("a probe that is not as it was written", () => {
  const headKey = async () => {
    const record = await getProbe(objects, "p")
    return keys.probePart("p", record.version, record.head.file)
  }

  test("one flipped bit in the weights", async () => {
    const key = await headKey()
    const { bytes } = (await objects.get(key))!
    bytes[bytes.length - 1] ^= 1
    await objects.put(key, bytes)
    await expect(openProbe(objects, "p")).rejects.toMatchObject({
      kind: "unavailable",
      code: "corrupt-probe",
    })
  })

  test("a head of another shape, though its digest fits", async () => {
    const record = await getProbe(objects, "p")
    const changed = new TextEncoder().encode(JSON.stringify({ ...record, pooling: "cls" }))
    await objects.put(keys.probePart("p", record.version, "probe.json"), changed)
    await expect(openProbe(objects, "p")).rejects.toThrow("no 'weights' of shape 1 × 6")
  })

  test("no weights, no record, no probe", async () => {
    const key = await headKey()
    await objects.delete(key)
    await expect(openProbe(objects, "p")).rejects.toMatchObject({ code: "corrupt-probe" })
    await objects.delete(keys.probePart("p", (await getProbe(objects, "p")).version, "probe.json"))
    await expect(openProbe(objects, "p")).rejects.toMatchObject({ code: "corrupt-probe" })
    await expect(openProbe(objects, "q")).rejects.toMatchObject({ kind: "missing", code: "no-such-probe" })
  })
})
