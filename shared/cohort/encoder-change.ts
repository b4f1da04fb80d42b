import * as z from "zod"
import { EncoderId, ProbeName } from "#shared/ids.ts"

/** How well a cohort's probe does under either encoder: fitted anew under both, on the same series and folds. */
export const ProbeChange = z.object({
  probe: ProbeName,
  version: z.string(),
  /** Of out-of-fold predictions; null where the two could not be compared, and `message` says why. */
  compared: z
    .object({
      /** AUROC, C-index or R². */
      metric: z.string(),
      series: z.int(),
      before: z.number(),
      after: z.number(),
      /** 95 % interval of `after − before`, by a paired bootstrap over patients; null where most replicates have none. */
      low: z.number().nullable(),
      high: z.number().nullable(),
    })
    .nullable(),
  message: z.string().optional(),
})
export type ProbeChange = z.infer<typeof ProbeChange>

/** What becomes of a cohort when another encoder answers for it. */
export const EncoderChange = z.object({
  from: EncoderId,
  /** Members that have features under `from` and none under the new encoder. */
  lost: z.int().nonnegative(),
  probes: z.array(ProbeChange),
})
export type EncoderChange = z.infer<typeof EncoderChange>
