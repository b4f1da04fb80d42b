import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeEach, describe, expect, test } from "vitest"
import { readCard } from "#shared/encoder/card.ts"
import { defaultEncoderDir, fetchEncoder, keepEncoder } from "#shared/encoder/library.ts"
import { diskStore } from "#shared/store/disk.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"

const root = await mkdtemp(join(tmpdir(), "voxkin-library-"))
afterAll(() => rm(root, { recursive: true }))

describe("encoders in the store", () => {
  let objects: ObjectStore
  let cache: string
  beforeEach(async () => {
    const folder = await mkdtemp(join(root, "test-"))
    objects = diskStore(join(folder, "objects"))
    cache = join(folder, "cache")
  })

  test("what is kept comes back the same, and keeping twice changes nothing", async () => {
    const card = await keepEncoder(objects, defaultEncoderDir)
    const kept = await objects.list("encoders/")
    expect(kept).toEqual([
      keys.encoderPart(card.id, "encoder.json"),
      keys.encoderPart(card.id, "encoder.onnx"),
    ])
    expect(await keepEncoder(objects, defaultEncoderDir)).toEqual(card)
    expect(await objects.list("encoders/")).toEqual(kept)

    const folder = await fetchEncoder(objects, card.id, cache)
    expect(await readCard(folder)).toEqual(card)
    const [mine, theirs] = [folder, defaultEncoderDir].map((dir) => readFile(join(dir, "encoder.onnx")))
    expect((await mine).equals(await theirs)).toBe(true)
    expect(await readdir(cache)).toEqual([card.id])
  })

  test("a whole copy is reused without the store, a damaged one is replaced", async () => {
    const { id } = await keepEncoder(objects, defaultEncoderDir)
    const folder = await fetchEncoder(objects, id, cache)
    const empty = diskStore(join(cache, "empty"))
    expect(await fetchEncoder(empty, id, cache)).toBe(folder)

    await writeFile(join(folder, "encoder.onnx"), "damaged")
    await expect(fetchEncoder(empty, id, cache)).rejects.toMatchObject({ code: "no-encoder" })
    expect(await fetchEncoder(objects, id, cache)).toBe(folder)
    expect((await readFile(join(folder, "encoder.onnx"))).length).toBeGreaterThan(1e6)
  })

  test("four at once get the same folder", async () => {
    const { id } = await keepEncoder(objects, defaultEncoderDir)
    const folders = await Promise.all([1, 2, 3, 4].map(() => fetchEncoder(objects, id, cache)))
    expect(new Set(folders)).toEqual(new Set([join(cache, id)]))
    expect(await readdir(cache)).toEqual([id])
  })

  test("an encoder that the store does not have, or has in pieces", async () => {
    await expect(fetchEncoder(objects, "absent-0123456789ab", cache)).rejects.toMatchObject({
      kind: "missing",
      code: "no-encoder",
      message: expect.stringContaining("absent-0123456789ab"),
    })
    const { id } = await keepEncoder(objects, defaultEncoderDir)
    await objects.put(keys.encoderPart(id, "encoder.onnx"), new Uint8Array(10))
    await expect(fetchEncoder(objects, id, cache)).rejects.toMatchObject({ code: "corrupt-encoder" })
    await objects.delete(keys.encoderPart(id, "encoder.onnx"))
    await expect(fetchEncoder(objects, id, cache)).rejects.toMatchObject({ code: "no-encoder" })
    expect(await readdir(cache)).toEqual([])
  })
})
