import type { Matrix4, Triple } from "#shared/volume/affine.ts"
import type { Volume } from "#shared/volume/volume.ts"

/** The published encoder's recipe. */
export const voxelfm = {
  clip: [-1000, 1900] as [number, number],
  crop: { threshold: -800, kernel: 21 },
  spacingFloor: 0.75,
  patchBudget: 25_000,
  patch: 14,
  mean: -573.8,
  std: 461.3,
}

export const axial: Matrix4 = [
  [0, 0, 1, 0],
  [0, 1, 0, 0],
  [1, 0, 0, 0],
  [0, 0, 0, 1],
]

/** A volume whose voxel (z, y, x) is `hu` of its position and of a hash that Python makes alike. */
export function volumeOf(
  shape: Triple,
  hu: (z: number, y: number, x: number, hash: number) => number,
  spacing: Triple = [1, 1, 1],
): Volume {
  const voxels = new Float32Array(shape[0] * shape[1] * shape[2])
  let i = 0
  for (let z = 0; z < shape[0]; z++)
    for (let y = 0; y < shape[1]; y++)
      for (let x = 0; x < shape[2]; x++, i++) voxels[i] = hu(z, y, x, (i * 7919 + 13) % 2003)
  return { voxels, shape, spacing, affine: axial }
}
