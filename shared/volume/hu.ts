import { Fault } from "#shared/errors.ts"

/** HU range every volume is clipped to before anything looks at it; VoxelFM's `pixel_range` (voxelfm config). */
export const huClip = [-1000, 1900] as const

/**
 * Refuses voxels that cannot be a CT in Hounsfield units. VoxelFM asks for a minimum below 800 and a maximum above
 * −100 after its clip; that lets masks and rescaled images through, so fat or air (below −50 HU) is asked for too.
 * @throws Fault `non-finite-voxels`, `constant-volume`, `not-hu`
 */
export function checkHu(voxels: Float32Array): void {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  let finite = true
  for (let i = 0; i < voxels.length; i++) {
    const v = voxels[i]
    if (v < min) min = v
    if (v > max) max = v
    // v - v is 0 for every finite number, NaN otherwise.
    if (v - v !== 0) finite = false
  }
  if (!finite) {
    throw new Fault(
      "invalid",
      "non-finite-voxels",
      "the volume holds NaN or infinite voxels: replace them with air (−1000 HU) or export it again",
    )
  }
  if (min === max)
    throw new Fault(
      "invalid",
      "constant-volume",
      `every voxel is ${min}: there is no image here, give the series that has one`,
    )
  const range = `its values run from ${min} to ${max}`
  if (min > -50) {
    throw new Fault(
      "invalid",
      "not-hu",
      `${range}, without any air or fat: this is no CT in Hounsfield units (a mask, a rescaled image, or the rescale intercept is lost); give the original`,
    )
  }
  if (max < -100)
    throw new Fault(
      "invalid",
      "not-hu",
      `${range}: there is no tissue here, or these are no Hounsfield units; give the original CT`,
    )
}
