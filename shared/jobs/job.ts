import { z } from "zod"
import { ColumnName, Scalars } from "#shared/cohort/members.ts"
import { Pooling } from "#shared/features/features.ts"
import { CohortName, ProbeName } from "#shared/ids.ts"

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
})

export const FitJob = z.strictObject({
  kind: z.literal("fit"),
  name: ProbeName,
  cohort: CohortName,
  /** The metadata or label column to learn. */
  label: ColumnName,
  task: z.enum(["classification", "regression"]),
  pooling: Pooling.optional(),
  /** Of the folds and the bootstrap; the same seed gives the same numbers. */
  seed: z.int().nonnegative().optional(),
})

/** What a worker can be asked to do, in full: it gets nothing but the job's id and reads this from the store. */
export const Job = z.discriminatedUnion("kind", [EmbedJob, PublishJob, FitJob])
export type Job = z.infer<typeof Job>
