import type { Features, Receipt } from "#shared/features/features.ts"
import { featuresOf } from "#shared/features/pool.ts"
import type { Matrix4, Triple } from "#shared/volume/affine.ts"

const affine: Matrix4 = [
  [0, 0.5, 2, -10],
  [0, 2, -0.5, 20.25],
  [3, 0, 0, 1 / 3],
  [0, 0, 0, 1],
]

export const receipt: Receipt = {
  series: `s-${"0123456789abcdef".repeat(2)}`,
  volume: {
    format: "nifti",
    files: 1,
    orientation: "LPS",
    shape: [30, 40, 50],
    spacing: [3, 2, 2],
    affine,
    notes: [{ code: "resampled", message: "uneven slices, “about” 3 mm" }],
  },
  preprocess: {
    clip: [-1000, 1900],
    crop: { offset: [1, 2, 3], shape: [28, 30, 40] },
    isotropic: { shape: [42, 30, 40], spacing: [2, 2, 2] },
    budget: { shape: [42, 30, 40] },
    shape: [42, 28, 28],
  },
  encoder: { id: "fake-0123456789ab", digest: "d".repeat(64), recipeDigest: "e".repeat(64) },
  gridToPatient: affine,
  deidentification: "only voxels and geometry were read",
}

/** Features of tokens that rise and fall without pattern, between −8 and 8. */
export function sampleFeatures(grid: Triple, dim: number, change: Partial<Receipt> = {}): Features {
  const wave = (length: number, step: number) =>
    Float32Array.from({ length }, (_, i) => 8 * Math.sin((i + 1) * step))
  const tokens = { cls: wave(dim, 1.7), patches: wave(grid[0] * grid[1] * grid[2] * dim, 0.9), grid }
  return featuresOf(tokens, { ...receipt, ...change })
}
