import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import type { Scalars } from "#shared/cohort/members.ts"
import { readNifti } from "#shared/volume/nifti.ts"
import type { Volume } from "#shared/volume/volume.ts"
import { millilitres, readMask } from "./mask.ts"

/** The numbers of OpenKBP's organ map. */
const organs = [
  "brainstem",
  "spinal_cord",
  "right_parotid",
  "left_parotid",
  "oesophagus",
  "larynx",
  "mandible",
]
/** The highest dose level of its target map, which is where the tumour is. */
export const tumour = 3

export interface Case {
  patient: string
  path: string
  labels: Scalars
  /** The CT and whether a voxel of it is target; read when asked for. */
  open: () => Promise<{ ct: Volume; isTarget: (voxel: number) => boolean }>
}

/** The patients of a part of OpenKBP: which organs are contoured, how large these and the targets are, in ml. */
export async function openkbp(data: string, part: "train" | "validation"): Promise<Case[]> {
  const folder = join(data, "openkbp", part)
  const scans = readdirSync(folder).filter((file) => file.endsWith("_ct.nii.gz"))
  const cases: Case[] = []
  for (const scan of scans) {
    const path = join(folder, scan)
    const patient = scan.replace("_ct.nii.gz", "")
    const labels: Scalars = { patient }
    const map = async (kind: string) => {
      const file = join(folder, `${patient}_${kind}.nii.gz`)
      return existsSync(file) ? readMask(file) : undefined
    }
    const contours = await map("oar")
    for (const [i, organ] of organs.entries()) {
      const size = contours ? millilitres(contours, i + 1) : 0
      labels[organ] = size > 0
      if (size > 0) labels[`${organ}_ml`] = size
    }
    const targets = await map("ptv")
    if (targets) labels.target_ml = millilitres(targets, tumour) || null
    cases.push({
      patient,
      path,
      labels,
      open: async () => {
        const mask = await map("ptv")
        return { ct: (await readNifti(path)).volume, isTarget: (voxel) => mask?.voxels[voxel] === tumour }
      },
    })
  }
  return cases
}

/** The soft-tissue sarcomas, with the volume of the tumour in ml. */
export async function sarcoma(data: string): Promise<Case[]> {
  const folder = join(data, "sarcoma")
  const cases: Case[] = []
  for (const patient of readdirSync(folder)) {
    const path = join(folder, patient, "ct.nii.gz")
    const gtv = join(folder, patient, "gtv_mass.nii.gz")
    cases.push({
      patient,
      path,
      labels: { patient, target_ml: millilitres(await readMask(gtv)) },
      open: async () => {
        const mask = await readMask(gtv)
        return { ct: (await readNifti(path)).volume, isTarget: (voxel) => mask.voxels[voxel] > 0 }
      },
    })
  }
  return cases
}
