import * as z from "zod"
import { Scalars } from "#shared/cohort/members.ts"
import { CohortName, EncoderId } from "#shared/ids.ts"
import { CurveRequest } from "#shared/probe/curve/record.ts"
import { EvaluateRequest } from "#shared/probe/external/evaluation.ts"
import { PanelRequest } from "#shared/probe/panel/request.ts"
import { PredictRequest } from "#shared/probe/predict-cohort.ts"
import { FitRequest } from "#shared/probe/request.ts"

/** Embeds what was uploaded with the job (`uploads/{job}`) into a cohort. */
export const EmbedJob = z.strictObject({
  kind: z.literal("embed"),
  cohort: CohortName,
  /** How the caller calls the upload. */
  source: z.string().min(1).max(512),
  metadata: Scalars.optional(),
})

export const PublishJob = z.strictObject({
  kind: z.literal("publish"),
  cohort: CohortName,
  /** Another encoder that is to answer for the cohort. */
  encoder: EncoderId.optional(),
  /** Makes the snapshot live whatever the promotion gate says against it. */
  force: z.boolean().optional(),
})

export const FitJob = z.strictObject({
  kind: z.literal("fit"),
  ...FitRequest.shape,
})

export const PanelJob = z.strictObject({
  kind: z.literal("panel"),
  ...PanelRequest.shape,
})

export const PredictJob = z.strictObject({
  kind: z.literal("predict"),
  ...PredictRequest.shape,
})

export const EvaluateJob = z.strictObject({
  kind: z.literal("evaluate"),
  ...EvaluateRequest.shape,
})

export const LearningCurveJob = z.strictObject({
  kind: z.literal("learning-curve"),
  ...CurveRequest.shape,
})

/** What a worker can be asked to do, in full: it gets nothing but the job's id and reads this from the store. */
export const Job = z.discriminatedUnion("kind", [
  EmbedJob,
  PublishJob,
  FitJob,
  PanelJob,
  PredictJob,
  EvaluateJob,
  LearningCurveJob,
])
export type Job = z.infer<typeof Job>
