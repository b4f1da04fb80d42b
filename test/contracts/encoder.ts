import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Encoder } from "#shared/encoder/encoder.ts"
import { EncoderId } from "#shared/ids.ts"
import type { Input } from "#shared/preprocess/input.ts"
import { Recipe } from "#shared/preprocess/recipe.ts"
import type { Triple } from "#shared/volume/affine.ts"
import { inputOf } from "#test/support/encoder-input.ts"

/** What every encoder promises. `open` is called for each group of tests that may close it. */
export function encoderContract(name: string, open: () => Promise<Encoder>): void {
  describe(`encoder contract: ${name}`, () => {
    let encoder: Encoder
    beforeAll(async () => {
      encoder = await open()
    })
    afterAll(() => encoder.close())
    const input = (grid: Triple, seed = 0): Input => inputOf(encoder.recipe.patch, grid, seed)

    test("has an id, a recipe and a dim", () => {
      expect(EncoderId.safeParse(encoder.id).success).toBe(true)
      expect(Recipe.parse(encoder.recipe)).toEqual(encoder.recipe)
      expect(encoder.dim).toBeGreaterThan(0)
    })

    test.each<Triple>([
      [1, 1, 1],
      [1, 2, 3],
      [3, 1, 2],
    ])("gives a token per patch of a grid of %i × %i × %i", async (...grid) => {
      const tokens = await encoder.encode(input(grid))
      expect(tokens.grid).toEqual(grid)
      expect(tokens.cls).toHaveLength(encoder.dim)
      expect(tokens.patches).toHaveLength(grid[0] * grid[1] * grid[2] * encoder.dim)
      expect(tokens.patches.every(Number.isFinite)).toBe(true)
    })

    test("the same input gives the same tokens, another input others, and inputs stay as they are", async () => {
      const one = input([1, 2, 3])
      const before = one.voxels.slice()
      const first = await encoder.encode(one)
      const again = await encoder.encode(one)
      const other = await encoder.encode(input([1, 2, 3], 1))
      expect(one.voxels).toEqual(before)
      expect(again).toEqual(first)
      expect(other.cls).not.toEqual(first.cls)
      expect(other.patches).not.toEqual(first.patches)
    })

    test("two encodes at once do not mix", async () => {
      const inputs = [input([1, 2, 3], 2), input([2, 1, 2], 3)]
      const alone = [await encoder.encode(inputs[0]), await encoder.encode(inputs[1])]
      expect(await Promise.all(inputs.map((i) => encoder.encode(i)))).toEqual(alone)
    })

    test("refuses an input that is no grid of patches, and goes on", async () => {
      const right = input([1, 2, 3])
      const cut = { ...right, shape: [right.shape[0] - 1, right.shape[1], right.shape[2]] as const }
      const short = { ...right, voxels: right.voxels.subarray(1) }
      const swapped = { ...right, grid: [3, 2, 1] as const }
      for (const wrong of [cut, short, swapped]) {
        await expect(encoder.encode(wrong)).rejects.toMatchObject({
          kind: "invalid",
          code: "wrong-input-shape",
        })
      }
      expect((await encoder.encode(right)).grid).toEqual([1, 2, 3])
    })

    test("is of no use once closed, and may be closed twice", async () => {
      const own = await open()
      await own.encode(input([1, 1, 1]))
      await own.close()
      await own.close()
      await expect(own.encode(input([1, 1, 1]))).rejects.toMatchObject({
        kind: "unavailable",
        code: "encoder-closed",
      })
    })
  })
}
