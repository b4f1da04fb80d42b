import { indexMap, type Matrix4, multiply, type Triple } from "#shared/volume/affine.ts"

/** How an input's voxels lie in its volume; all along [z, y, x]. */
export interface Placement {
  /** First voxel of the body crop, in voxels of the volume. */
  crop: Triple
  /** Voxels of the volume per resampled voxel: exactly the ratio of sizes that the resampling used. */
  step: Triple
  /** First resampled voxel that became part of the input. */
  kept: Triple
  /** Edge of one patch in voxels of the input. */
  patch: number
}

/**
 * The matrix from the centre of patch (z, y, x, 1) to patient mm (x, y, z, 1) in LPS. With align_corners=False the
 * edges of both grids coincide, so a position counted from the first voxel's edge is just scaled: resampled voxel i
 * lies at (i + 0.5) · step − 0.5 of the crop, and the centre of patch p at edge position (p + 0.5) · patch of the input.
 */
export function gridToPatient(affine: Matrix4, { crop, step, kept, patch }: Placement): Matrix4 {
  const perPatch = step.map((s) => s * patch) as unknown as Triple
  const first = step.map((s, a) => crop[a] + (kept[a] + patch / 2) * s - 0.5) as unknown as Triple
  return multiply(affine, indexMap(perPatch, first))
}
