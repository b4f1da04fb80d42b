import { expect, test } from "vitest"
import { SeriesId } from "#shared/ids.ts"
import { seriesId } from "#shared/volume/series-id.ts"
import type { Volume } from "#shared/volume/volume.ts"

function volume(spacing: Volume["spacing"], origin = 0): Volume {
  return {
    voxels: Float32Array.from({ length: 60 }, (_, i) => i * 30 - 900),
    shape: [3, 4, 5],
    spacing,
    affine: [
      [0, 0, spacing[2], origin],
      [0, spacing[1], 0, origin],
      [spacing[0], 0, 0, origin],
      [0, 0, 0, 1],
    ],
  }
}
const plain = volume([2.5, 0.9, 0.8])

test("the id never changes: features of years hang on it", () => {
  expect(SeriesId.parse(seriesId(plain))).toBe(seriesId(plain))
  // From Python: sha256 of "voxkin series 1\n3 4 5\n250 90 80\n" and the 60 voxels as little-endian int16.
  expect(seriesId(plain)).toBe("s-9847ca3278f103746822a5da73492430")
})

test("the id does not depend on where the scan lies, or on noise in its header", () => {
  expect(seriesId(volume([2.5, 0.9, 0.8], 123.4))).toBe(seriesId(plain))
  expect(seriesId(volume([2.5001, 0.8999, 0.8001]))).toBe(seriesId(plain))
})

test("float32 noise does not split spacings that lie half way between two hundredths", () => {
  // Fields of view of 320, 360, 448 and 500 mm over 512 pixels, and slices of 1.125 and 0.625 mm.
  for (const mm of [0.625, 0.703125, 0.875, 0.9765625, 1.125]) {
    const id = seriesId(volume([mm, mm, mm]))
    for (const noise of [-3e-7, 3e-7]) expect(seriesId(volume([mm + noise, mm, mm + noise]))).toBe(id)
  }
})

test("HU outside the clip and fractions of HU do not count", () => {
  const id = seriesId({ ...plain, voxels: plain.voxels.with(0, -1000).with(1, 1900).with(2, 40) })
  expect(seriesId({ ...plain, voxels: plain.voxels.with(0, -2048).with(1, 3071).with(2, 40.3) })).toBe(id)
})

test("one voxel, the shape or the spacing make another series", () => {
  const id = seriesId(plain)
  expect(seriesId({ ...plain, voxels: plain.voxels.with(59, plain.voxels[59] + 1) })).not.toBe(id)
  expect(seriesId({ ...plain, shape: [3, 5, 4] })).not.toBe(id)
  expect(seriesId(volume([2.5, 0.9, 0.81]))).not.toBe(id)
})

test("a volume longer than one chunk is hashed to its end", () => {
  const big: Volume = { ...plain, shape: [10, 100, 100], voxels: new Float32Array(100_000) }
  expect(seriesId({ ...big, voxels: big.voxels.with(99_999, 1) })).not.toBe(seriesId(big))
})
