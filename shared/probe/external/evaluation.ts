import * as z from "zod"
import { type OnDamaged, readList } from "#shared/cohort/bounded.ts"
import { ColumnName } from "#shared/cohort/members.ts"
import { CohortName, ProbeName, timeStamp } from "#shared/ids.ts"
import { getJson, putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { Reliability } from "../measure/reliability.ts"
import { Metric, Note, ProbeVersion } from "../record.ts"

/** What to measure a probe on. The columns are those it learned from unless others are named. */
export const EvaluateRequest = z.object({
  name: ProbeName,
  cohort: CohortName,
  /** The version that answers, unless named. */
  version: ProbeVersion.optional(),
  label: ColumnName.optional(),
  time: ColumnName.optional(),
  event: ColumnName.optional(),
  /** Of the numbers or times, in words; where it is not the probe's the answer says so. Nothing is converted. */
  unit: z.string().max(40).optional(),
  /** Of the bootstrap. */
  seed: z.int().nonnegative().default(0),
})
export type EvaluateRequest = z.input<typeof EvaluateRequest>

/** Null where a metric is not defined on these labels, as an AUROC of one class. */
const Measured = Metric.extend({ value: z.number().nullable() })

/** How well one version of a probe did on a cohort, without all that it was trained on. */
export const ExternalEvaluation = z.object({
  format: z.literal("voxkin-evaluation-1"),
  probe: ProbeName,
  version: ProbeVersion,
  cohort: CohortName,
  columns: z.union([z.object({ label: z.string() }), z.object({ time: z.string(), event: z.string() })]),
  unit: z.string().nullable(),
  /** Series that were scored, and their patients: null when the cohort has no column `patient`. */
  count: z.int(),
  patients: z.int().nullable(),
  /** Series of the cohort that were not scored, each counted once, by the first reason that holds. */
  leftOut: z.object({
    unlabelled: z.int(),
    /** Their label is no class of the probe. */
    unknownClass: z.int(),
    trainingSeries: z.int(),
    /** Other series of patients that it was trained on. */
    trainingPatients: z.int(),
    withoutFeatures: z.int(),
  }),
  metrics: z.array(Measured),
  /** The same of what says the same of every series: the share of each class, the mean, or the curve in training. */
  baseline: z.array(Measured),
  /** Of classification: how many series are of each class, and counts by true (rows) and predicted class (columns). */
  classes: z.array(z.object({ name: z.string(), count: z.int() })).optional(),
  confusion: z.array(z.array(z.int())).optional(),
  /** Of classification: how well calibrated the probabilities are there. */
  reliability: Reliability.optional(),
  /** Of survival: how many had the event, and where the metrics look, as in the probe's record. */
  events: z.int().optional(),
  horizon: z
    .object({ aurocAt: z.number(), brierFrom: z.number().nullable(), brierTo: z.number().nullable() })
    .optional(),
  seed: z.int(),
  notes: z.array(Note),
  createdAt: z.iso.datetime(),
})
export type ExternalEvaluation = z.infer<typeof ExternalEvaluation>

export async function putEvaluation(objects: ObjectStore, evaluation: ExternalEvaluation): Promise<void> {
  const { probe, version, cohort, createdAt } = evaluation
  const key = keys.probeEvaluation(probe, version, cohort, timeStamp(new Date(createdAt)))
  await putJson(objects, key, evaluation)
}

/** How well a version did on other cohorts, latest first. */
export async function listEvaluations(
  objects: ObjectStore,
  name: string,
  version: string,
  onDamaged?: OnDamaged,
): Promise<ExternalEvaluation[]> {
  const found = await readList(
    await objects.list(keys.probeEvaluations(name, version)),
    async (key) => (await getJson(objects, key, ExternalEvaluation))?.value,
    onDamaged,
  )
  return found.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
}
