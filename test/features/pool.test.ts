import { expect, test } from "vitest"
import { featuresOf, vectorOf } from "#shared/features/pool.ts"
import { receipt, sampleFeatures } from "./sample.ts"

test("the mean is taken in float64", () => {
  // 2^24 + 1 is no float32: adding ones to it in float32 would go nowhere.
  const count = 1001
  const patches = new Float32Array(count * 2).fill(1)
  patches[0] = 2 ** 24
  patches[1] = -3
  const { mean } = featuresOf({ cls: Float32Array.of(1, 2), patches, grid: [7, 11, 13] }, receipt)
  expect([...mean]).toEqual([Math.fround((2 ** 24 + 1000) / count), Math.fround(997 / count)])
})

test("a vector has length 1 and the direction of what was pooled", () => {
  const features = sampleFeatures([2, 3, 4], 96)
  for (const pooling of ["cls", "mean"] as const) {
    const vector = vectorOf(features, pooling)
    // float32 rounding of 96 numbers
    expect(Math.abs(Math.hypot(...vector) - 1)).toBeLessThan(1e-6)
    const ratio = vector[0] / features[pooling][0]
    for (let i = 0; i < 96; i++) expect(vector[i]).toBeCloseTo(features[pooling][i] * ratio, 6)
  }
})

test("no direction is a fault that names series and encoder", () => {
  const features = { ...sampleFeatures([1, 1, 1], 3), mean: new Float32Array(3) }
  expect(() => vectorOf(features, "mean")).toThrow(
    expect.objectContaining({
      kind: "invalid",
      code: "zero-vector",
      message: expect.stringContaining(receipt.series),
    }),
  )
})
