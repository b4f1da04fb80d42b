import { cp, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setInterval } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { recipeDigest } from "#shared/encoder/card.ts"
import type { Encoder } from "#shared/encoder/encoder.ts"
import { defaultEncoderDir } from "#shared/encoder/library.ts"
import { openEncoder } from "#shared/encoder/onnx.ts"
import { sha256 } from "#shared/ids.ts"
import { encoderContract } from "#test/contracts/encoder.ts"
import { cosine } from "#test/support/cosine.ts"
import { goldenVoxels, inputOf } from "#test/support/encoder-input.ts"

encoderContract("onnxruntime", () => openEncoder(defaultEncoderDir))

describe("onnxruntime in a thread", () => {
  let encoder: Encoder
  let folder: string
  beforeAll(async () => {
    encoder = await openEncoder(defaultEncoderDir)
    folder = await mkdtemp(join(tmpdir(), "voxkin-encoder-"))
  })
  afterAll(async () => {
    await encoder.close()
    await rm(folder, { recursive: true })
  })

  test("agrees with PyTorch on golden.json", async () => {
    const golden = JSON.parse(await readFile(join(defaultEncoderDir, "golden.json"), "utf8"))
    expect(golden.cases.length).toBeGreaterThan(0)
    for (const { shape, grid, cls, patches } of golden.cases) {
      const tokens = await encoder.encode({
        ...inputOf(encoder.recipe.patch, grid),
        voxels: goldenVoxels(shape[0] * shape[1] * shape[2]),
      })
      expect(cosine(tokens.cls, cls)).toBeGreaterThan(0.99999)
      for (const { token, values } of patches) {
        const ours = tokens.patches.subarray(token * encoder.dim, (token + 1) * encoder.dim)
        expect(cosine(ours, values)).toBeGreaterThan(0.99999)
      }
    }
  })

  test("leaves the event loop free", async () => {
    let running = true
    const tokens = encoder.encode(inputOf(encoder.recipe.patch, [12, 12, 12])).finally(() => {
      running = false
    })
    let ticks = 0
    for await (const _ of setInterval(1)) {
      if (!running) break
      ticks++
    }
    await tokens
    // A run of this size takes some hundred ms; one that blocked would let at most one tick through.
    expect(ticks).toBeGreaterThan(5)
  })

  test("closing rejects what runs and what waits", async () => {
    const own = await openEncoder(defaultEncoderDir)
    const running = own.encode(inputOf(own.recipe.patch, [6, 6, 6]))
    const waiting = own.encode(inputOf(own.recipe.patch, [1, 1, 1]))
    const both = Promise.allSettled([running, waiting])
    await own.close()
    for (const result of await both) {
      expect(result).toMatchObject({ status: "rejected", reason: { code: "encoder-closed" } })
    }
  })

  test("an input with NaN gives no features", async () => {
    const input = inputOf(encoder.recipe.patch, [1, 1, 2])
    input.voxels[7] = Number.NaN
    await expect(encoder.encode(input)).rejects.toMatchObject({
      kind: "unavailable",
      code: "non-finite-features",
    })
  })

  test("weights that were cut are refused", async () => {
    const dir = join(folder, "cut")
    await cp(defaultEncoderDir, dir, { recursive: true })
    await truncate(join(dir, "encoder.onnx"), 1000)
    await expect(openEncoder(dir)).rejects.toMatchObject({ kind: "invalid", code: "corrupt-encoder" })
  })

  test("a network that onnxruntime cannot read is a fault, not a crash", async () => {
    const dir = await forged("unreadable", {}, Buffer.from("no network"))
    await expect(openEncoder(dir)).rejects.toMatchObject({
      kind: "unavailable",
      code: "encoder-failed",
      message: expect.stringContaining("export the encoder again"),
    })
  })

  test("a card that lies about its network is found out, run by run", async () => {
    const own = await openEncoder(await forged("lying", { patch: 3 }))
    // One patch of 3 voxels is smaller than the network's of 6; four along an axis make two of the network's.
    for (const code of ["encoder-failed", "corrupt-encoder", "encoder-failed"]) {
      const grid = code === "corrupt-encoder" ? ([4, 4, 4] as const) : ([1, 1, 1] as const)
      await expect(own.encode(inputOf(3, grid))).rejects.toMatchObject({ kind: "unavailable", code })
    }
    await own.close()
  })

  /** The default encoder with another patch or other weights, under a card whose digests hold. */
  async function forged(name: string, { patch = 6 }: { patch?: number }, weights?: Buffer): Promise<string> {
    const dir = join(folder, name)
    await cp(defaultEncoderDir, dir, { recursive: true })
    if (weights) await writeFile(join(dir, "encoder.onnx"), weights)
    const card = JSON.parse(await readFile(join(dir, "encoder.json"), "utf8"))
    const recipe = { ...card.recipe, patch }
    const digest = sha256(await readFile(join(dir, "encoder.onnx")))
    const id = `${card.name}-${sha256(`${digest}\n${recipeDigest(recipe)}`).slice(0, 12)}`
    const files = [{ ...card.files[0], sha256: digest }]
    const forgery = { ...card, id, digest, files, patch, recipe, recipeDigest: recipeDigest(recipe) }
    await writeFile(join(dir, "encoder.json"), JSON.stringify(forgery))
    return dir
  }
})
