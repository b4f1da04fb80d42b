import { Fault } from "#shared/errors.ts"
import type { Triple } from "#shared/volume/affine.ts"
import type { Recipe } from "./recipe.ts"

/**
 * Shape after resampling to the finest spacing the volume has, but not finer than `floor` mm. A volume that already
 * is isotropic keeps its shape, even one finer than the floor: VoxelFM does so (`resize_isotropic`).
 */
export function isotropicShape(shape: Triple, spacing: Triple, floor: number): Triple {
  const finest = Math.min(...spacing)
  // VoxelFM compares exactly; 1e-5 forgives what float32 headers and slice positions in decimals leave behind.
  if (Math.max(...spacing) - finest <= 1e-5 * finest) return shape
  const target = Math.max(finest, floor)
  return each(shape, (n, axis) => roundHalfEven((n * spacing[axis]) / target))
}

/**
 * Shape scaled down until it has at most `patchBudget` patches. As VoxelFM (`resize_max_patches`): the cube root of
 * the excess times 0.98 … 1.02, sizes rounded down, the first of those with the most patches; 0.95 when none fits.
 * Where even that is over the budget (thin volumes, which lose no whole patch along their short axis) VoxelFM
 * goes on regardless; we take off further 5 %, for the budget is what an encoder's memory is planned for.
 */
export function budgetShape(shape: Triple, { patch, patchBudget }: Recipe): Triple {
  const count = patches(shape, patch)
  if (count <= patchBudget) return shape
  // Where n · scale is whole but for the last bit of the cube root, Python's may round to the other side: one voxel.
  const scale = (patchBudget / count) ** (1 / 3)
  const scaled = (by: number) => each(shape, (n) => Math.floor(n * (scale * by)))

  const fitting = [0.98, 0.99, 1, 1.01, 1.02].map(scaled).filter((s) => patches(s, patch) <= patchBudget)
  if (fitting.length > 0) return fitting.reduce((a, b) => (patches(b, patch) > patches(a, patch) ? b : a))
  let by = 0.95
  while (patches(scaled(by), patch) > patchBudget) by *= 0.95
  return scaled(by)
}

/**
 * The middle part of `shape` that is whole patches along each axis; an odd voxel is left off at the end.
 * @throws Fault `too-small` when an axis is shorter than one patch
 */
export function wholePatches(shape: Triple, patch: number): { offset: Triple; shape: Triple; grid: Triple } {
  const short = shape.findIndex((n) => n < patch)
  if (short >= 0) {
    throw new Fault(
      "invalid",
      "too-small",
      `after cropping and resampling the volume is ${shape.join(" × ")} voxels (z, y, x), shorter than one patch of ${patch} along ${"zyx"[short]}: use a series that covers more of the body, or another encoder`,
    )
  }
  return {
    offset: each(shape, (n) => (n % patch) >> 1),
    shape: each(shape, (n) => n - (n % patch)),
    grid: each(shape, (n) => Math.floor(n / patch)),
  }
}

function patches(shape: Triple, patch: number): number {
  return shape.reduce((product, n) => product * Math.floor(n / patch), 1)
}

function each(shape: Triple, f: (n: number, axis: number) => number): Triple {
  return [f(shape[0], 0), f(shape[1], 1), f(shape[2], 2)]
}

/** As Python's round(). */
function roundHalfEven(x: number): number {
  const down = Math.floor(x)
  if (x - down !== 0.5) return Math.round(x)
  return down % 2 === 0 ? down : down + 1
}
