import type { Matrix4, Triple } from "#shared/volume/affine.ts"

/** What was done to a volume to make the input; part of the receipt. Shapes and offsets along [z, y, x]. */
export interface PreprocessReceipt {
  clip: readonly [number, number]
  crop: { offset: Triple; shape: Triple }
  /** Shape after the isotropic resampling (that of the crop when it already was isotropic). */
  isotropic: { shape: Triple; spacing: Triple }
  /** Shape after scaling down to the patch budget. */
  budget: { shape: Triple }
  /** Shape of the input: multiples of the patch. */
  shape: Triple
}

/** The prepared array given to the encoder. */
export interface Input {
  /** Normalised, C order over [z, y, x]. */
  voxels: Float32Array
  shape: Triple
  /** Patches along each axis. */
  grid: Triple
  /** Centre of patch (z, y, x, 1) to patient mm (x, y, z, 1) in LPS. */
  gridToPatient: Matrix4
  receipt: PreprocessReceipt
}
