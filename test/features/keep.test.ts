import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { encodeFeatures } from "#shared/features/encode.ts"
import { fromHalf, toHalf } from "#shared/features/float16.ts"
import { keepFeatures, readFeatures, readPooled } from "#shared/features/keep.ts"
import { diskStore } from "#shared/store/disk.ts"
import { keys } from "#shared/store/keys.ts"
import type { ByteRange, ObjectStore } from "#shared/store/store.ts"
import { receipt, sampleFeatures } from "./sample.ts"

let folder: string
let objects: ObjectStore
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "voxkin-features-"))
  objects = diskStore(folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const encoder = receipt.encoder.id
const series = (n: number) => `s-${n.toString(16).padStart(32, "0")}`

/** The store, and what was read of it. */
function watched(): { store: ObjectStore; ranges: (ByteRange | undefined)[] } {
  const ranges: (ByteRange | undefined)[] = []
  const get: ObjectStore["get"] = (key, range) => {
    ranges.push(range)
    return objects.get(key, range)
  }
  return { store: { ...objects, get }, ranges }
}

describe("keep", () => {
  test("once, whoever comes second", async () => {
    const features = sampleFeatures([2, 2, 3], 4, { series: series(1) })
    expect(await keepFeatures(objects, features)).toBe("embedded")
    const other = { ...features, cls: features.cls.map((x) => -x) }
    expect(await keepFeatures(objects, other)).toBe("already")
    const kept = await readFeatures(objects, encoder, series(1))
    expect(kept).toEqual({ ...features, patches: fromHalf(toHalf(features.patches)) })
  })
  test("once, of many at the same time", async () => {
    const features = sampleFeatures([2, 2, 3], 4, { series: series(2) })
    const all = await Promise.all(Array.from({ length: 8 }, () => keepFeatures(objects, features)))
    expect(all.filter((status) => status === "embedded")).toHaveLength(1)
  })
  test("nothing is written of features that cannot be kept", async () => {
    const features = sampleFeatures([1, 1, 1], 4, { series: series(3) })
    features.patches[2] = Number.NaN
    await expect(keepFeatures(objects, features)).rejects.toMatchObject({ code: "non-finite-features" })
    expect(await objects.has(keys.features(encoder, series(3)))).toBe(false)
  })
})

describe("read", () => {
  test("undefined where there is nothing", async () => {
    expect(await readPooled(objects, encoder, series(99))).toBeUndefined()
    expect(await readFeatures(objects, encoder, series(99))).toBeUndefined()
  })
  test("pooled features in one read of 16 KiB", async () => {
    const { cls, mean, ...rest } = sampleFeatures([6, 7, 8], 864, { series: series(4) })
    await keepFeatures(objects, { cls, mean, ...rest })
    const { store, ranges } = watched()
    expect(await readPooled(store, encoder, series(4))).toEqual({ cls, mean, receipt: rest.receipt })
    expect(ranges).toEqual([{ start: 0, end: 16_384 }])
  })
  test("a receipt of many notes and a wide encoder take more reads, never the patches", async () => {
    const notes = Array.from({ length: 1000 }, (_, i) => ({ code: "gap", message: `slice ${i} `.repeat(20) }))
    const volume = { ...receipt.volume, notes }
    const features = sampleFeatures([4, 4, 4], 10_000, { series: series(5), volume })
    await keepFeatures(objects, features)
    const { store, ranges } = watched()
    const pooled = await readPooled(store, encoder, series(5))
    expect(pooled?.mean).toEqual(features.mean)
    expect(pooled?.receipt.volume.notes).toHaveLength(1000)
    const size = encodeFeatures(features).length
    expect(Math.max(...ranges.map((range) => range!.end))).toBe(size - features.patches.length * 2)
  })
  test("a file under another's key is a conflict", async () => {
    const file = encodeFeatures(sampleFeatures([2, 2, 3], 4, { series: series(6) }))
    await objects.put(keys.features("other-0123456789ab", series(6)), file)
    await objects.put(keys.features(encoder, series(7)), file)
    for (const read of [readPooled, readFeatures]) {
      await expect(read(objects, "other-0123456789ab", series(6))).rejects.toMatchObject({
        kind: "conflict",
        code: "wrong-encoder",
      })
      await expect(read(objects, encoder, series(7))).rejects.toMatchObject({
        kind: "conflict",
        code: "wrong-series",
      })
    }
  })
  test("a damaged file is named by its key", async () => {
    const file = encodeFeatures(sampleFeatures([2, 2, 3], 4, { series: series(8) }))
    const key = keys.features(encoder, series(8))
    for (const length of [0, 5, 200, file.length - 2 * 48 - 1]) {
      await objects.put(key, file.subarray(0, length))
      for (const read of [readPooled, readFeatures]) {
        const expected = {
          kind: "unavailable",
          code: "corrupt-features",
          message: expect.stringContaining(key),
        }
        await expect(read(objects, encoder, series(8))).rejects.toMatchObject(expected)
      }
    }
  })
})
