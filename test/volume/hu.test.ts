import { describe, expect, test } from "vitest"
import { checkHu } from "#shared/volume/hu.ts"

describe("checkHu", () => {
  test.each([
    ["air, fat, muscle and bone", [-1000, -100, 50, 1200]],
    ["a crop without air", [-110, -60, 55]],
    ["metal, and padding below air", [-2048, 0, 31_743]],
  ])("takes %s", (_, values) => {
    expect(() => checkHu(Float32Array.from(values))).not.toThrow()
  })

  test.each([
    ["one NaN", [-1000, Number.NaN, 50], "non-finite-voxels"],
    ["infinity", [-1000, 50, Number.POSITIVE_INFINITY], "non-finite-voxels"],
    ["nothing but NaN", [Number.NaN, Number.NaN], "non-finite-voxels"],
    ["one value", [-1000, -1000], "constant-volume"],
    ["a mask", [0, 1, 0], "not-hu"],
    ["z-scores", [-2.1, 0, 3.4], "not-hu"],
    ["stored values whose intercept is lost", [0, 1024, 3071], "not-hu"],
    ["a mask whose intercept is not", [-1024, -1023], "not-hu"],
  ])("refuses %s", (_, values, code) => {
    expect(() => checkHu(Float32Array.from(values))).toThrow(
      expect.objectContaining({ kind: "invalid", code }),
    )
  })
})
