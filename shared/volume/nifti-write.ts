import { Fault } from "#shared/errors.ts"
import type { Volume } from "./volume.ts"

/** A single-file NIfTI-1: 348 bytes of header, 4 that say no extension follows, then the voxels. nifti1.h */
const headerBytes = 352

/**
 * A volume as the bytes of a .nii (NIfTI-1, int16, little endian, sform in scanner space). HU are rounded to whole
 * numbers and kept within int16; the geometry is kept to float32, on the axes the volume has (stored as "LPS").
 * @throws Fault `too-many-voxels` when an axis is longer than NIfTI-1 can say
 */
export function writeNifti({ voxels, shape, spacing, affine }: Volume): Uint8Array {
  const [nz, ny, nx] = shape
  if (Math.max(...shape) > 32_767)
    throw new Fault(
      "too_large",
      "too-many-voxels",
      "NIfTI-1 holds at most 32767 voxels along an axis: crop it first",
    )
  const bytes = new Uint8Array(headerBytes + voxels.length * 2)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, 348, true) // sizeof_hdr
  for (const [i, n] of [3, nx, ny, nz, 1, 1, 1, 1].entries()) view.setInt16(40 + 2 * i, n, true) // dim
  view.setInt16(70, 4, true) // datatype: NIFTI_TYPE_INT16
  view.setInt16(72, 16, true) // bitpix
  for (const [i, mm] of [1, spacing[2], spacing[1], spacing[0]].entries())
    view.setFloat32(76 + 4 * i, mm, true) // pixdim
  view.setFloat32(108, headerBytes, true) // vox_offset
  view.setFloat32(112, 1, true) // scl_slope
  view.setUint8(123, 2) // xyzt_units: NIFTI_UNITS_MM
  view.setInt16(254, 1, true) // sform_code: NIFTI_XFORM_SCANNER_ANAT
  for (const [row, [z, y, x, t]] of affine.slice(0, 3).entries()) {
    // Our (z, y, x) index and LPS to NIfTI's (x, y, z) and RAS.
    const sign = row < 2 ? -1 : 1
    for (const [i, v] of [x, y, z, t].entries()) view.setFloat32(280 + 16 * row + 4 * i, sign * v, true) // srow_x …
  }
  bytes.set([0x6e, 0x2b, 0x31, 0], 344) // magic: "n+1\0"
  const stored = new Int16Array(bytes.buffer, headerBytes)
  for (let i = 0; i < voxels.length; i++)
    stored[i] = Math.max(-32_768, Math.min(32_767, Math.round(voxels[i])))
  return bytes
}
