import * as z from "zod"
import { CohortName, ProbeName } from "#shared/ids.ts"
import { getJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { Metric, Note, ProbeVersion } from "../record.ts"

export const CurveRequest = z.object({
  /** The probe that tells what is learned, how, and in which folds. */
  name: ProbeName,
  /** The one that answers, unless named. */
  version: ProbeVersion.optional(),
  /** Numbers of patients to learn from, beside all; 5, 10, 20, 50, … when absent. */
  sizes: z.array(z.int().min(2).max(1e6)).min(1).max(30).optional(),
  /** How often each number is drawn. */
  repeats: z.int().min(1).max(50).default(5),
})
export type CurveRequest = z.input<typeof CurveRequest>

const Point = z.object({
  /** Learned from in each fold; of all, the mean over the folds. */
  patients: z.int(),
  /** The series of theirs, the mean over folds and draws. */
  series: z.number(),
  /** How often they were drawn: all of them once. */
  draws: z.int(),
  /** Of the predictions for all patients, each held out. The mean over draws, the least and the greatest. */
  metrics: z.array(
    z.object({
      name: z.string(),
      mean: z.number(),
      least: z.number(),
      greatest: z.number(),
    }),
  ),
})

/** `learning-curve.json`: how well a probe would do with fewer labels. */
export const LearningCurve = z.object({
  format: z.literal("voxkin-learning-curve-1"),
  name: ProbeName,
  version: ProbeVersion,
  cohort: CohortName,
  split: z.enum(["by patient", "by series"]),
  folds: z.int(),
  seed: z.int(),
  /** Patients in all, each held out once per draw; series where no patients are known. */
  tested: z.int(),
  points: z.array(Point),
  /** What the trivial predictor reaches. */
  baseline: z.array(Metric),
  /** What the label of the nearest neighbor reaches, of all there are to learn from. */
  nearest: z.array(Metric),
  notes: z.array(Note),
  createdAt: z.iso.datetime(),
})
export type LearningCurve = z.infer<typeof LearningCurve>
export type CurvePoint = z.infer<typeof Point>

export const curveFile = "learning-curve.json"
export const curvePlot = "learning-curve.svg"

/** The latest of a version; undefined when none was made. */
export async function readCurve(
  objects: ObjectStore,
  name: string,
  version: string,
): Promise<LearningCurve | undefined> {
  return (await getJson(objects, keys.probePart(name, version, curveFile), LearningCurve))?.value
}
