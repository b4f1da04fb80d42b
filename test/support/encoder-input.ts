import type { Input } from "#shared/preprocess/input.ts"
import type { Triple } from "#shared/volume/affine.ts"

/** The input of golden.json (training/golden.py, FORMULA): between −2 and 2, exact in float32. */
export function goldenVoxels(count: number, seed = 0): Float32Array {
  const voxels = new Float32Array(count)
  for (let i = 0; i < count; i++) {
    const hashed = Math.imul(i + seed * 97, 2654435761) >>> 0
    voxels[i] = ((hashed >>> 8) - 2 ** 23) / 2 ** 22
  }
  return voxels
}

/** An input of this many patches, as preprocessing would hand it over; another seed, another content. */
export function inputOf(patch: number, grid: Triple, seed = 0): Input {
  const shape: Triple = [grid[0] * patch, grid[1] * patch, grid[2] * patch]
  const gridToPatient = [
    [0, 0, patch, 0],
    [0, patch, 0, 0],
    [patch, 0, 0, 0],
    [0, 0, 0, 1],
  ]
  return {
    voxels: goldenVoxels(shape[0] * shape[1] * shape[2], seed),
    shape,
    grid,
    gridToPatient,
    receipt: {
      clip: [-1000, 1900],
      crop: { offset: [0, 0, 0], shape },
      isotropic: { shape, spacing: [1, 1, 1] },
      budget: { shape },
      shape,
    },
  }
}
