import * as z from "zod"
import { EncoderId, SeriesId } from "#shared/ids.ts"
import type { PreprocessReceipt } from "#shared/preprocess/input.ts"
import type { Matrix4, Triple } from "#shared/volume/affine.ts"
import type { VolumeReceipt } from "#shared/volume/volume.ts"

/** What was done to the bytes on the way to the features. Free of patient identifiers. */
export interface Receipt {
  series: string
  volume: VolumeReceipt
  preprocess: PreprocessReceipt
  encoder: { id: string; digest: string; recipeDigest: string }
  /** Centre of patch (z, y, x, 1) to patient mm (x, y, z, 1) in LPS. */
  gridToPatient: Matrix4
  /** Said in words: which parts of the source were kept. */
  deidentification: string
}

const triple = z.tuple([z.number(), z.number(), z.number()])
const matrix = z.array(z.array(z.number()).length(4)).length(4)

/** Loose: a later version may have written more than this one knows. */
export const Receipt: z.ZodType<Receipt> = z.looseObject({
  series: SeriesId,
  volume: z.looseObject({
    format: z.enum(["nifti", "dicom"]),
    files: z.int().positive(),
    orientation: z.string(),
    shape: triple,
    spacing: triple,
    affine: matrix,
    notes: z.array(z.looseObject({ code: z.string(), message: z.string() })),
  }),
  preprocess: z.looseObject({
    clip: z.tuple([z.number(), z.number()]),
    crop: z.looseObject({ offset: triple, shape: triple }),
    isotropic: z.looseObject({ shape: triple, spacing: triple }),
    budget: z.looseObject({ shape: triple }),
    shape: triple,
  }),
  encoder: z.looseObject({ id: EncoderId, digest: z.string(), recipeDigest: z.string() }),
  gridToPatient: matrix,
  deidentification: z.string(),
})

/** The tokens of one series under one encoder, as they are kept. */
export interface Features {
  cls: Float32Array
  /** Mean over the patch tokens, [dim]. */
  mean: Float32Array
  /** [gz, gy, gx, dim]; kept as float16. */
  patches: Float32Array
  grid: Triple
  receipt: Receipt
}

/** The two pooled vectors of a series, read without its patches. */
export type Pooled = Pick<Features, "cls" | "mean" | "receipt">

export const Pooling = z.enum(["cls", "mean"])
export type Pooling = z.infer<typeof Pooling>
