import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { EncoderCard } from "#shared/encoder/card.ts"
import type { Encoder } from "#shared/encoder/encoder.ts"
import { openEncoder } from "#shared/encoder/onnx.ts"
import { preprocess } from "#shared/preprocess/preprocess.ts"
import { readNifti } from "#shared/volume/nifti.ts"
import { cosine } from "#test/support/cosine.ts"
import { readNpz } from "#test/support/npz.ts"

const root = resolve(import.meta.dirname, "../..")
const shared = resolve(root, "../shared")
const fixture = join(shared, "fixtures/voxelfm-tiny")
const python = join(root, ".venv/bin/python")

// Needs Python once, to export the fixture's checkpoint, and the fixture with its volumes beside the repository.
const ready = existsSync(python) && existsSync(fixture) && existsSync(join(shared, "data"))

describe.skipIf(!ready)("from the file to the tokens, as the original VoxelFM code", () => {
  let folder: string
  let encoder: Encoder & { card: EncoderCard }
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "voxkin-voxelfm-"))
    const out = join(folder, "encoder")
    const arguments_ = [
      "--checkpoint",
      join(fixture, "checkpoint.pth"),
      "--config",
      join(fixture, "config.yaml"),
    ]
    await promisify(execFile)(python, ["-m", "training.export", ...arguments_, "--out", out], { cwd: root })
    encoder = await openEncoder(out)
  })
  afterAll(async () => {
    await encoder.close()
    await rm(folder, { recursive: true })
  })

  test("the export keeps VoxelFM's recipe", () => {
    expect(encoder.recipe).toEqual({
      clip: [-1000, 1900],
      crop: { threshold: -800, kernel: 21 },
      spacingFloor: 0.75,
      patchBudget: 25000,
      patch: 14,
      mean: -573.8,
      std: 461.3,
    })
  })

  test.each(["STS_001", "C3N-00247", "example_ct"])("%s: cls and every patch token", async (name) => {
    const expected = JSON.parse(await readFile(join(fixture, `${name}.json`), "utf8"))
    const { cls, patches } = readNpz(join(fixture, `${name}.npz`))
    const { volume } = await readNifti(join(shared, expected.volume))
    const input = preprocess(volume, { ...encoder.recipe, patchBudget: expected.max_patches })
    const tokens = await encoder.encode(input)

    expect(tokens.grid).toEqual(expected.grid)
    expect(cosine(tokens.cls, cls.data)).toBeGreaterThanOrEqual(0.99999)
    const { dim } = encoder
    let worst = 1
    for (let at = 0; at < tokens.patches.length; at += dim) {
      worst = Math.min(
        worst,
        cosine(tokens.patches.subarray(at, at + dim), patches.data.subarray(at, at + dim)),
      )
    }
    expect(worst).toBeGreaterThanOrEqual(0.99999)
  })
})
