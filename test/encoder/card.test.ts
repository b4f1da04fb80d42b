import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeEach, describe, expect, test } from "vitest"
import { readCard, recipeDigest, verifyWeights } from "#shared/encoder/card.ts"
import { defaultEncoderDir } from "#shared/encoder/library.ts"

const root = await mkdtemp(join(tmpdir(), "voxkin-card-"))
afterAll(() => rm(root, { recursive: true }))

describe("an encoder's card", () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(root, "encoder-"))
    await cp(defaultEncoderDir, dir, { recursive: true })
  })
  const edit = async (change: object) => {
    const file = join(dir, "encoder.json")
    await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, "utf8")), ...change }))
  }

  test("the default is small, says that it is trained, and its weights are those of the card", async () => {
    const card = await readCard(defaultEncoderDir)
    expect(card.status).toBe("trained")
    expect(card.id).toMatch(/^voxkin-[0-9a-f]{12}$/)
    expect(card.files.reduce((sum, file) => sum + file.bytes, 0)).toBeLessThan(25e6)
    await verifyWeights(defaultEncoderDir, card)
  })

  test("the recipe's digest is the one that Python computes", async () => {
    // training/tests/test_card.py holds the same recipe and the same digest.
    expect(
      recipeDigest({
        std: 461.3,
        mean: -573.8,
        patch: 14,
        patchBudget: 25000,
        spacingFloor: 0.000025,
        crop: { threshold: -800, kernel: 21 },
        clip: [-1000, 1900],
      }),
    ).toBe("338313af4dc1cbc8baa73f8b72a09c7daf8063dec6a25106afae2720fbdf8243")
    const card = await readCard(defaultEncoderDir)
    expect(recipeDigest(card.recipe)).toBe(card.recipeDigest)
  })

  test("a folder without a card is no encoder", async () => {
    await rm(join(dir, "encoder.json"))
    await expect(readCard(dir)).rejects.toMatchObject({
      kind: "missing",
      code: "no-encoder",
      message: expect.stringContaining("training.export"),
    })
  })

  test.each([
    ["a recipe of another encoder", { recipe: { patch: 14 } }, "recipe"],
    ["a recipe changed by hand", { recipeDigest: "0".repeat(64) }, "recipeDigest"],
    ["another name", { name: "other" }, "id"],
    ["another digest", { digest: "0".repeat(64) }, "digest"],
    ["another patch", { patch: 16 }, "patch"],
    [
      "a file elsewhere",
      { files: [{ name: "../encoder.onnx", bytes: 1, sha256: "0".repeat(64) }] },
      "files.0.name",
    ],
  ])("%s is found out, by name", async (_, change, where) => {
    await edit(change)
    await expect(readCard(dir)).rejects.toMatchObject({
      kind: "invalid",
      code: "corrupt-encoder",
      message: expect.stringContaining(where),
    })
  })

  test("a card that is no JSON, weights that were changed or are gone", async () => {
    const card = await readCard(dir)
    await writeFile(join(dir, "encoder.json"), "{")
    await expect(readCard(dir)).rejects.toMatchObject({ code: "corrupt-encoder" })

    const weights = join(dir, "encoder.onnx")
    const bytes = await readFile(weights)
    bytes[bytes.length >> 1] ^= 1
    await writeFile(weights, bytes)
    await expect(verifyWeights(dir, card)).rejects.toMatchObject({ code: "corrupt-encoder" })
    await rm(weights)
    await expect(verifyWeights(dir, card)).rejects.toMatchObject({
      code: "corrupt-encoder",
      message: expect.stringContaining("encoder.onnx cannot be read"),
    })
  })
})
