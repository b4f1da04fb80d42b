import type { Triple } from "#shared/volume/affine.ts"
import type { Volume } from "#shared/volume/volume.ts"
import { bodyWindow } from "./crop.ts"
import { gridToPatient } from "./grid.ts"
import type { Input } from "./input.ts"
import type { Recipe } from "./recipe.ts"
import { resample } from "./resample.ts"
import { budgetShape, isotropicShape, wholePatches } from "./shapes.ts"
import { chain, linear, part, type Taps } from "./taps.ts"

/**
 * Prepares a volume for an encoder, as VoxelFM's evaluation does: HU clip, body crop, isotropic resampling, patch
 * budget, centre crop to whole patches, normalisation. The two resamplings are done as one (they are linear and
 * separable) and only for the voxels that are kept; the result differs from doing them in turn by rounding alone.
 * The volume is left as it was.
 * @throws Fault `empty-body`, `too-small`
 */
export function preprocess(volume: Volume, recipe: Recipe): Input {
  const crop = recipe.crop
    ? bodyWindow(volume, recipe.crop)
    : { offset: [0, 0, 0] as const, shape: volume.shape }
  const isotropic = isotropicShape(crop.shape, volume.spacing, recipe.spacingFloor)
  // What the rounded sizes make of it: isotropic to within half a voxel over the axis.
  const spacing = ratio(crop.shape, isotropic).map((r, a) => r * volume.spacing[a]) as unknown as Triple
  const budget = budgetShape(isotropic, recipe)
  const kept = wholePatches(budget, recipe.patch)

  const axis = (a: 0 | 1 | 2): Taps => {
    const whole = chain(linear(crop.shape[a], isotropic[a]), linear(isotropic[a], budget[a]))
    return part(whole, kept.offset[a], kept.shape[a])
  }
  // Voxels of the volume per voxel of the input.
  const step = ratio(crop.shape, budget)
  const voxels = resample(volume, crop.offset, [axis(0), axis(1), axis(2)], recipe.clip)
  normalise(voxels, recipe)

  return {
    voxels,
    shape: kept.shape,
    grid: kept.grid,
    gridToPatient: gridToPatient(volume.affine, {
      crop: crop.offset,
      step,
      kept: kept.offset,
      patch: recipe.patch,
    }),
    receipt: {
      clip: recipe.clip,
      crop,
      isotropic: { shape: isotropic, spacing },
      budget: { shape: budget },
      shape: kept.shape,
    },
  }
}

function ratio(a: Triple, b: Triple): Triple {
  return [a[0] / b[0], a[1] / b[1], a[2] / b[2]]
}

/** In place: HU to what the network was trained on. */
function normalise(voxels: Float32Array, { mean, std }: Recipe): void {
  for (let i = 0; i < voxels.length; i++) voxels[i] = (voxels[i] - mean) / std
}
