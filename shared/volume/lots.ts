import { dirname } from "node:path"
import { isDicom } from "./dicom/object.ts"
import { headOf } from "./kind.ts"
import { statOf } from "./walk.ts"

/** Paths that are looked at together, and what to call them. */
export interface Lot {
  paths: string[]
  as: string
}

/**
 * Splits paths as given (`a/*.dcm b.nii.gz c/`) into lots, in their order: loose DICOM files of one folder are
 * slices of the same series and make one lot, called by their folder; any other path is a lot of its own.
 */
export async function lotsOf(paths: readonly string[]): Promise<Lot[]> {
  const lots: Lot[] = []
  const loose = new Map<string, Lot>()
  for (const path of paths) {
    const folder = dirname(path)
    const isSlice = await isLooseDicom(path)
    const slices = isSlice ? loose.get(folder) : undefined
    if (slices) {
      slices.paths.push(path)
      slices.as = folder
    } else {
      const lot = { paths: [path], as: path }
      lots.push(lot)
      if (isSlice) loose.set(folder, lot)
    }
  }
  return lots
}

async function isLooseDicom(path: string): Promise<boolean> {
  const stats = await statOf(path)
  return stats?.isFile() === true && isDicom(await headOf(path))
}
