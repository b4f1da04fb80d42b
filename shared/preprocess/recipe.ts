import * as z from "zod"

/** How an encoder wants its volume. Numbers of the published encoder: VoxelFM's evaluation pipeline. */
export const Recipe = z
  .strictObject({
    /** HU; everything outside is set to the bound. VoxelFM: −1000, 1900. */
    clip: z.tuple([z.number(), z.number()]),
    /**
     * Body crop: voxels above `threshold` HU whose `kernel`³ box is more than half such; null keeps the whole volume.
     * VoxelFM: −800, 21, and what is too thin for the box, or holds no body, is refused. `otherwise` keeps that whole.
     */
    crop: z
      .strictObject({
        threshold: z.number(),
        kernel: z.int().positive().max(99),
        otherwise: z.literal("whole").optional(),
      })
      .nullable(),
    /** mm; the finest isotropic spacing a volume is resampled to. VoxelFM: 0.75. */
    spacingFloor: z.number().positive(),
    /** Most patches an input may have; larger ones are scaled down. VoxelFM: 25 000. */
    patchBudget: z.int().positive(),
    /** Edge of one cubic patch in voxels. VoxelFM: 14. */
    patch: z.int().positive(),
    /** HU; the input is (HU − mean) / std. VoxelFM: −573.8, 461.3. */
    mean: z.number(),
    std: z.number().positive(),
  })
  .refine(({ clip }) => clip[0] < clip[1], { path: ["clip"], message: "the lower bound comes first" })
  // Within the clip a voxel is above the threshold before clipping exactly when it is so afterwards.
  .refine(({ clip, crop }) => !crop || (crop.threshold >= clip[0] && crop.threshold < clip[1]), {
    path: ["crop", "threshold"],
    message: "the crop's threshold lies within the clip",
  })
export type Recipe = z.infer<typeof Recipe>
