import { existsSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { describe, expect, test } from "vitest"
import { preprocess } from "#shared/preprocess/preprocess.ts"
import { resample } from "#shared/preprocess/resample.ts"
import { linear } from "#shared/preprocess/taps.ts"
import type { Triple } from "#shared/volume/affine.ts"
import { readNifti } from "#shared/volume/nifti.ts"
import { readNpz } from "#test/support/npz.ts"
import { volumeOf, voxelfm } from "./phantom.ts"

const golden = JSON.parse(readFileSync(resolve(import.meta.dirname, "torch-golden.json"), "utf8"))

function meanAndStd(voxels: Float32Array) {
  let sum = 0
  for (const v of voxels) sum += v
  const mean = sum / voxels.length
  let squares = 0
  for (const v of voxels) squares += (v - mean) ** 2
  return { mean, std: Math.sqrt(squares / voxels.length) }
}

function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length)
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]))
  return most
}

describe("resample", () => {
  interface Case {
    from: Triple
    to: Triple
    hu: number[]
  }
  test.each(golden.resample as Case[])("$from → $to as PyTorch's interpolate", ({ from, to, hu }) => {
    const volume = volumeOf(from, (_z, _y, _x, hash) => hash - 1000)
    const maps = [linear(from[0], to[0]), linear(from[1], to[1]), linear(from[2], to[2])] as const
    const ours = resample(volume, [0, 0, 0], maps, [-1000, 1900])
    // Golden values are kept to 0.001 HU; float32 arithmetic adds less than that.
    expect(farthest(ours, hu)).toBeLessThan(2e-3)
  })
})

describe("the whole recipe on a phantom: body, couch, air, voxels beyond the clip", () => {
  interface Case {
    name: string
    shape: Triple
    body: { low: Triple; high: Triple }
    couch: number
    spacing: Triple
    kernel: number
    patchBudget: number
    patch: number
    expected: Record<"offset" | "crop" | "isotropic" | "budget" | "input", Triple> & {
      mean: number
      std: number
      at: number[]
      values: number[]
    }
  }
  test.each(golden.pipeline as Case[])("$name", ({ shape, body, couch, spacing, expected, ...c }) => {
    const inside = (p: number[]) => p.every((n, a) => n >= body.low[a] && n < body.high[a])
    const volume = volumeOf(
      shape,
      (z, y, x, hash) => {
        if (inside([z, y, x])) return hash < 20 ? 3000 : hash - 700
        return y >= couch && y < couch + 2 ? 50 : (hash % 200) - 1100
      },
      spacing,
    )
    const before = volume.voxels.slice()
    const recipe = { ...voxelfm, ...c, crop: { threshold: -800, kernel: c.kernel } }
    const input = preprocess(volume, recipe)

    const { receipt } = input
    expect({ ...receipt.crop, isotropic: receipt.isotropic.shape, budget: receipt.budget.shape }).toEqual({
      offset: expected.offset,
      shape: expected.crop,
      isotropic: expected.isotropic,
      budget: expected.budget,
    })
    expect(input.shape).toEqual(expected.input)
    expect(input.grid.map((n) => n * c.patch)).toEqual(expected.input)
    const { mean, std } = meanAndStd(input.voxels)
    expect(Math.abs(mean - expected.mean)).toBeLessThan(1e-5)
    expect(Math.abs(std - expected.std)).toBeLessThan(1e-5)
    // In units of the z-score: 1e-4 is 0.05 HU.
    const ours = expected.at.map((i) => input.voxels[i])
    expect(farthest(ours, expected.values)).toBeLessThan(1e-4)
    expect(Buffer.compare(Buffer.from(volume.voxels.buffer), Buffer.from(before.buffer))).toBe(0)
  })
})

const shared = resolve(import.meta.dirname, "../../../shared")
const fixtures = resolve(shared, "fixtures/voxelfm-tiny")
const absent = !existsSync(fixtures) || !existsSync(resolve(shared, "data"))

describe.skipIf(absent)(
  "the original's own results (skipped where ../shared/fixtures or ../shared/data is absent)",
  () => {
    test.each(["STS_001", "C3N-00247", "example_ct"])("%s", async (name) => {
      const original = JSON.parse(readFileSync(resolve(fixtures, `${name}.json`), "utf8"))
      const { volume } = await readNifti(resolve(shared, original.volume))
      const input = preprocess(volume, { ...voxelfm, patchBudget: original.max_patches })

      expect(volume.shape).toEqual(original.raw_shape)
      expect(input.receipt.crop.shape).toEqual(original.cropped_shape)
      expect(input.receipt.isotropic.shape).toEqual(original.isotropic_shape)
      expect(input.shape).toEqual(original.input_shape)
      expect(input.grid).toEqual(original.grid)
      const { mean, std } = meanAndStd(input.voxels)
      expect(Math.abs(mean - original.input_mean)).toBeLessThan(1e-4)
      expect(Math.abs(std - original.input_std)).toBeLessThan(1e-4)
      const { data } = readNpz(resolve(fixtures, `${name}.npz`)).input_slice
      const middle = Math.floor(input.shape[0] / 2) * data.length
      expect(farthest(input.voxels.subarray(middle, middle + data.length), data)).toBeLessThan(1e-3)
    })
  },
)
