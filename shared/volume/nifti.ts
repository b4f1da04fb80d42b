import { existsSync } from "node:fs"
import { Fault } from "#shared/errors.ts"
import { canonicalLayout, obliqueNotes } from "./canonical.ts"
import { type ByteStream, openBytes } from "./gzip.ts"
import { checkHu } from "./hu.ts"
import { storedAffine, storedShape } from "./nifti-geometry.ts"
import { type NiftiHeader, readHeader } from "./nifti-header.ts"
import { scaling, voxelType } from "./nifti-type.ts"
import { readVoxels } from "./nifti-voxels.ts"
import type { ReadVolume } from "./volume.ts"

/**
 * Reads one CT from NIfTI-1 or -2: a .nii, gzip or not (told by content, not by name), or either half of a
 * .hdr/.img pair. Everything the header promises is checked before voxels are allocated, and inflated as it is
 * read: memory is the volume in float32 and little more.
 * @throws Fault naming what is wrong: see `gzip.ts`, `nifti-header.ts`, `nifti-geometry.ts`, `nifti-type.ts`, `nifti-voxels.ts`, `hu.ts`
 */
export async function readNifti(path: string): Promise<ReadVolume> {
  const headerPath = headerOf(path)
  const stream = await openBytes(headerPath)
  try {
    const header = await readHeader(stream)
    if (header.singleFile) return await readVolume(header, stream, { files: 1, consumed: header.bytes })
    const voxels = await openBytes(voxelsOf(headerPath))
    try {
      return await readVolume(header, voxels, { files: 2, consumed: 0 })
    } finally {
      await voxels.close()
    }
  } finally {
    await stream.close()
  }
}

const imageName = /\.img(\.gz)?$/i
const headerName = /\.hdr(\.gz)?$/i

function headerOf(path: string): string {
  return imageName.test(path) ? otherHalf(path, imageName, ["hdr", "HDR"]) : path
}

function voxelsOf(path: string): string {
  return otherHalf(path, headerName, ["img", "IMG"])
}

function otherHalf(path: string, ending: RegExp, endings: string[]): string {
  const names = endings.flatMap((end) => [end, `${end}.gz`]).map((end) => path.replace(ending, `.${end}`))
  const found = names.find((name) => name !== path && existsSync(name))
  if (found) return found
  const message = `the .${endings[0]} half of the .hdr/.img pair is missing: put it beside the other, under the same name`
  throw new Fault("missing", "pair-incomplete", message)
}

/** @param from how many files hold header and voxels, and how many bytes of the voxels' file have been read */
async function readVolume(
  header: NiftiHeader,
  stream: ByteStream,
  from: { files: number; consumed: number },
): Promise<ReadVolume> {
  const shape = storedShape(header)
  const type = voxelType(header)
  const { notes: scalingNotes, ...scale } = scaling(header)
  const { affine: stored, notes: affineNotes } = storedAffine(header, shape)
  const layout = canonicalLayout(shape, stored)
  const { offset, littleEndian } = header
  const plan = { offset, consumed: from.consumed, type, littleEndian, ...scale, shape, layout }
  const { voxels, notes: voxelNotes } = await readVoxels(stream, plan)
  checkHu(voxels)

  const { orientation, spacing, affine } = layout
  const geometry = { shape: layout.shape, spacing, affine }
  const notes = [...scalingNotes, ...affineNotes, ...obliqueNotes(layout), ...voxelNotes]
  return {
    volume: { voxels, ...geometry },
    receipt: { format: "nifti", files: from.files, orientation, ...geometry, notes },
  }
}
