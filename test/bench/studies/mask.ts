import { canonicalLayout } from "#shared/volume/canonical.ts"
import { openBytes } from "#shared/volume/gzip.ts"
import { storedAffine, storedShape } from "#shared/volume/nifti-geometry.ts"
import { readHeader } from "#shared/volume/nifti-header.ts"
import { scaling, voxelType } from "#shared/volume/nifti-type.ts"
import { readVoxels } from "#shared/volume/nifti-voxels.ts"
import type { Volume } from "#shared/volume/volume.ts"

/** A label map on the axes of a read CT. The product refuses masks as no CT; a study needs them to make its labels. */
export async function readMask(path: string): Promise<Volume> {
  const stream = await openBytes(path)
  try {
    const header = await readHeader(stream)
    const shape = storedShape(header)
    const layout = canonicalLayout(shape, storedAffine(header, shape).affine)
    const { offset, littleEndian, bytes: consumed } = header
    const { slope, intercept } = scaling(header)
    const plan = {
      offset,
      consumed,
      type: voxelType(header),
      littleEndian,
      slope,
      intercept,
      shape,
      layout,
    }
    const { voxels } = await readVoxels(stream, plan)
    return { voxels, shape: layout.shape, spacing: layout.spacing, affine: layout.affine }
  } finally {
    await stream.close()
  }
}

/** ml of the voxels that are `value`, or of all above 0. */
export function millilitres({ voxels, spacing }: Volume, value?: number): number {
  const count = voxels.reduce((sum, v) => sum + Number(value === undefined ? v > 0 : v === value), 0)
  return (count * spacing[0] * spacing[1] * spacing[2]) / 1000
}
