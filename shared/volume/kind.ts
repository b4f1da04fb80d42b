import { open } from "node:fs/promises"
import { basename } from "node:path"
import { Fault } from "#shared/errors.ts"
import { isDicom } from "./dicom/object.ts"
import { isGzip, openBytes } from "./gzip.ts"
import { isNifti } from "./nifti-header.ts"
import type { FoundFile } from "./walk.ts"
import { isZip } from "./zip.ts"

/**
 * Tells what a file is by its first bytes.
 * @throws Fault `empty-file`, `dicomdir`, `not-a-scan` when it is none of them
 */
export async function kindOf({ path, as }: FoundFile): Promise<"nifti" | "dicom" | "zip"> {
  const head = await headOf(path)
  if (head.length === 0) throw new Fault("invalid", "empty-file", "the file is empty: export it again")
  // A file that claims to be NIfTI is read as such, so that its own fault is told.
  if (isNifti(head) || /\.(nii|hdr|img)(\.gz)?$/i.test(as)) return "nifti"
  if (basename(as).toUpperCase() === "DICOMDIR")
    throw new Fault("invalid", "dicomdir", "a DICOMDIR is a table of contents, not an image")
  if (isDicom(head)) return "dicom"
  if (isZip(head)) return "zip"
  if (isGzip(head) && isNifti(await inflatedHead(path))) return "nifti"
  throw new Fault("invalid", "not-a-scan", "it is neither DICOM nor NIfTI nor a zip of them")
}

/** Enough for NIfTI's magic (byte 344 of NIfTI-1) and DICOM's (byte 128). */
const headBytes = 512

export async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function inflatedHead(path: string): Promise<Uint8Array> {
  const stream = await openBytes(path)
  try {
    const head = new Uint8Array(headBytes)
    return head.subarray(0, await stream.read(head))
  } finally {
    await stream.close()
  }
}

/** True for the voxels of a .hdr/.img pair whose header is among `names`: the two are one NIfTI. */
export function hasHeader(path: string, names: Set<string>): boolean {
  const image = /\.img(\.gz)?$/i
  if (!image.test(path)) return false
  return [".hdr", ".HDR", ".hdr.gz"].some((ending) => names.has(path.replace(image, ending)))
}
