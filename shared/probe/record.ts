import * as z from "zod"
import { Fault, type FaultKind } from "#shared/errors.ts"
import { CohortName, EncoderId, ProbeName } from "#shared/ids.ts"
import { Calibration } from "./head/calibration.ts"
import { PredictionInterval } from "./measure/prediction-interval.ts"
import { Reliability } from "./measure/reliability.ts"
import { Threshold } from "./measure/thresholds.ts"

/** When it was fitted, and the start of its head's digest: sorts by time. */
export const ProbeVersion = z
  .string()
  .regex(
    /^[0-9]{8}T[0-9]{9}Z-[0-9a-f]{8}$/,
    "a version is a time and 8 hex digits, as probe versions lists them",
  )

/** Which pooled features go in: the CLS token, the mean over the patch tokens, or both, CLS first. */
export const ProbePooling = z.enum(["cls", "mean", "both"])
export type ProbePooling = z.infer<typeof ProbePooling>

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/** A file beside probe.json in its version's folder. */
const linear = { file: z.string(), sha256: Sha256 }

/** What turns features into a prediction. A new kind of head is a new member here. */
export const HeadRecord = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("logistic"), ...linear }),
  z.object({ kind: z.literal("softmax"), ...linear }),
  z.object({ kind: z.literal("ridge"), ...linear }),
  z.object({ kind: z.literal("cox"), ...linear }),
  z.object({ kind: z.literal("knn"), ...linear }),
])

export const Metric = z.object({
  name: z.string(),
  value: z.number(),
  /** Bounds of the 95 % bootstrap interval; null where the metric is undefined in most replicates. */
  low: z.number().nullable(),
  high: z.number().nullable(),
  /** Of two classes' AUROC: the 95 % interval by DeLong's standard error over patients; null where that would lie, as at an AUROC of 1. */
  delong: z.object({ low: z.number(), high: z.number() }).nullable().optional(),
})
export type Metric = z.infer<typeof Metric>

/** Something about the fit that its reader should know. */
export const Note = z.object({ code: z.string(), message: z.string() })
export type Note = z.infer<typeof Note>

export const recordFile = "probe.json"

/** The column that was learned. */
const label = z.string()

const common = {
  format: z.literal("voxkin-probe-2"),
  name: ProbeName,
  version: ProbeVersion,
  /** It reads features of this encoder under this recipe, and no others. */
  encoder: z.object({ id: EncoderId, digest: Sha256, recipeDigest: Sha256 }),
  pooling: ProbePooling,
  /** Of the encoder; with `both` the head reads twice as many numbers. */
  dim: z.int().positive(),
  head: HeadRecord,
  /** The one number that the method has to be given. */
  choice: z.object({
    of: z.enum(["penalty", "neighbors"]),
    value: z.number(),
    by: z.enum(["caller", "cross-validation", "default"]),
    /** In each fold of the evaluation, chosen inside its training part. */
    perFold: z.array(z.number()),
  }),
  training: z.object({
    cohort: CohortName,
    count: z.int(),
    /** SHA-256 of the training series' ids, sorted, one per line. */
    seriesDigest: Sha256,
    /** Which they were, and what says the same of every series, having seen them: `Training`. */
    file: z.string(),
    sha256: Sha256,
    /** Null when the cohort has no `patient` column: each series is then taken for a patient. */
    patients: z.int().nullable(),
    split: z.enum(["by patient", "by series"]),
    folds: z.int(),
    seed: z.int(),
  }),
  /** Of out-of-fold predictions. */
  metrics: z.array(Metric),
  /** The same of the trivial predictor: the share of each class, the mean, or the Kaplan-Meier curve, for everybody. */
  baseline: z.array(Metric),
  /** The same of the label of the nearest neighbor, in the same folds. */
  nearest: z.array(Metric),
  /**
   * The same of a linear head that reads only how the series were acquired: grid, extent, orientation, files, scanner.
   * None where all were acquired alike.
   */
  acquisition: z.array(Metric),
  notes: z.array(Note),
  /** Files beside probe.json, drawn from the out-of-fold predictions, which are there too: `out-of-fold.json`. */
  plots: z.array(z.string().regex(/^[a-z][a-z-]*\.svg$/)),
  createdAt: z.iso.datetime(),
  intendedUse: z.string(),
}

/** `probe.json`: everything about one version of a probe but its weights. Never changed once written. */
export const ProbeRecord = z.discriminatedUnion("task", [
  z.object({
    task: z.literal("classification"),
    ...common,
    label,
    classes: z.array(z.object({ name: z.string(), count: z.int() })).min(2),
    /** Counts out of fold by true class (rows) and predicted class (columns). */
    confusion: z.array(z.array(z.int())),
    /**
     * What the head does to its scores, fitted on those that held-out rows got in cross-validation inside the training series.
     * Each fold of the evaluation fitted its own, inside its training part. Null for a head that has none.
     */
    calibration: Calibration.and(z.object({ of: z.int() })).nullable(),
    /** How well calibrated the out-of-fold probabilities are. */
    reliability: Reliability,
    /** Of two classes, by out-of-fold probabilities; of more none. Predictions go by one half, whatever the others say. */
    thresholds: z.array(Threshold),
  }),
  z.object({
    task: z.literal("regression"),
    ...common,
    label,
    unit: z.string().nullable(),
    /** The interval that predictions get, by the errors of out-of-fold ones; metric `coverage-90` tells how often such ones hold. */
    interval: PredictionInterval,
  }),
  z.object({
    task: z.literal("survival"),
    ...common,
    /** The columns of times, in `unit`, and of whether the time is that of the event. */
    time: z.string(),
    event: z.string(),
    unit: z.string().nullable(),
    /** Training series that had the event. */
    events: z.int(),
    /** How the likelihood takes events at the same time; null of neighbors, which have none. */
    ties: z.literal("efron").nullable(),
    /** The quartiles of the event times: predictions tell the probability of survival at each, unless asked for others. */
    answersAt: z.array(z.number()),
    /** The longest time: what comes after is not known. */
    followUp: z.number(),
    /** Where metrics look: `auroc-at` at the median event time, `integrated-brier` from and to event times. */
    horizon: z.object({ aurocAt: z.number(), brierFrom: z.number(), brierTo: z.number() }),
  }),
])
export type ProbeRecord = z.infer<typeof ProbeRecord>

const Anything = z.object({
  format: z.string().regex(/^voxkin-probe-[0-9]{1,6}$/),
  task: z.string().optional().catch(undefined),
  head: z.object({ kind: z.string() }).optional().catch(undefined),
})
const format = 2
const kinds: string[] = HeadRecord.options.map((option) => option.shape.kind.value)
const tasks: string[] = ProbeRecord.options.map((option) => option.shape.task.value)

/**
 * The fault for JSON that is no record, where another voxkin wrote it: an earlier one (`old-probe`), or a later one in
 * a later format or with a head or a task that is not known here, as an ONNX one over patch tokens (`newer-probe`).
 */
export function ofAnotherVoxkin(
  json: unknown,
  { kind, what, cause }: { kind: FaultKind; what: string; cause?: unknown },
): Fault | undefined {
  const parsed = Anything.safeParse(json)
  if (!parsed.success) return undefined
  const { format: name, task, head } = parsed.data
  const number = Number(name.slice("voxkin-probe-".length))
  if (number < format) {
    return new Fault(kind, "old-probe", `${what} is of an older format: fit the probe again`, { cause })
  }
  const unknown = [
    number > format ? `of format ${name}` : "",
    task && !tasks.includes(task) ? `of task '${task.slice(0, 40)}'` : "",
    head && !kinds.includes(head.kind) ? `with a head of kind '${head.kind.slice(0, 40)}'` : "",
  ].filter((each) => each !== "")
  if (unknown.length === 0) return undefined
  const message = `${what} is ${unknown.join(", ")}, which this voxkin does not know: update it`
  return new Fault(kind, "newer-probe", message, { cause })
}
