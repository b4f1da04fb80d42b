import { z } from "zod"
import { ColumnName } from "#shared/cohort/members.ts"
import { CohortName, ProbeName, sha256, timeStamp } from "#shared/ids.ts"
import { putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { evaluate } from "./evaluate.ts"
import { encodeHead } from "./head-file.ts"
import { fitHeads } from "./linear.ts"
import { judge } from "./notes.ts"
import { choosePenalty, defaultPenalty } from "./penalty.ts"
import { ProbePooling, ProbeRecord, recordFile } from "./record.ts"
import { readStudy } from "./study.ts"
import { setCurrent } from "./versions.ts"

export const FitRequest = z.object({
  name: ProbeName,
  cohort: CohortName,
  /** Looked up among the labels of each member, then in its metadata. */
  label: ColumnName,
  task: z.enum(["classification", "regression"]),
  /** Both, as in DINOv2's linear evaluation (Oquab et al. 2023): the penalty sorts out what helps. */
  pooling: ProbePooling.default("both"),
  /** λ of Σ log-loss + λ/2 · ‖w‖², or of Σ error² + λ · ‖w‖²; chosen by cross-validation when absent. */
  penalty: z.number().min(1e-3).max(1e9).optional(),
  folds: z.int().min(2).max(20).default(5),
  /** Of folds and bootstrap: the same seed on the same data gives the same numbers. */
  seed: z.int().nonnegative().default(0),
  /** Of the numbers to learn, in words: "ml". */
  unit: z.string().max(40).optional(),
})
export type FitRequest = z.input<typeof FitRequest>

export interface FitOptions extends FitRequest {
  now: Date
  onProgress?: (progress: { done: number; total: number; message: string }) => void
}

const headFile = "head.safetensors"

/**
 * Fits a probe on a cohort's cached features and labels, measures it by cross-validation, and keeps it as a new
 * version, which answers from then on. A version's files never change; the pointer is flipped last.
 * @throws Fault `no-such-cohort`, `no-such-column`, `bad-label`, `one-class`, `constant-label`, `too-many-classes`,
 * `too-few-labels`, `no-features`, `not-finite`, `wrong-encoder`, `corrupt-features`
 */
export async function fitProbe(objects: ObjectStore, options: FitOptions): Promise<ProbeRecord> {
  const { now, onProgress } = options
  const request = FitRequest.parse(options)
  const { name, label, task, pooling, folds, seed } = request
  const read = await readStudy(objects, {
    ...request,
    onRead: (done, total) => onProgress?.({ done, total, message: "reading features" }),
  })
  const { study, patients, encoder, dim } = read

  const evaluation = await evaluate(study, {
    folds,
    seed,
    penalty: request.penalty,
    onFold: (done, total) => onProgress?.({ done, total, message: "evaluating" }),
  })
  const rows = Uint32Array.from(study.target.keys())
  const chosen = request.penalty ?? choosePenalty(study, rows, seed)
  const penalty = chosen ?? defaultPenalty
  const [head] = fitHeads(study, rows, [penalty])

  const bytes = encodeHead(head)
  const digest = sha256(bytes)
  const version = `${timeStamp(now)}-${digest.slice(0, 8)}`
  const record = ProbeRecord.parse({
    format: "voxkin-probe-1",
    name,
    version,
    task,
    label,
    ...(task === "regression"
      ? { unit: request.unit ?? null }
      : { classes: counted(read.classes, study.target), confusion: evaluation.confusion }),
    encoder,
    pooling,
    dim,
    head: { kind: study.kind, file: headFile, sha256: digest },
    penalty: {
      value: penalty,
      chosenBy: request.penalty ? "caller" : chosen ? "cross-validation" : "default",
      perFold: evaluation.penalties,
    },
    training: {
      cohort: request.cohort,
      count: read.series.length,
      seriesDigest: sha256([...read.series].sort().join("\n")),
      patients: patients.known ? patients.count : null,
      split: patients.known ? "by patient" : "by series",
      folds: evaluation.folds,
      seed,
    },
    metrics: evaluation.metrics,
    baseline: evaluation.baseline,
    notes: judge({
      ...read,
      evaluation,
      head,
      converged: head.converged && evaluation.converged,
      foldsAsked: folds,
      penaltyByDefault: !chosen || evaluation.penaltyByDefault,
    }),
    createdAt: now.toISOString(),
    intendedUse: "Research use only; not a medical device.",
  })

  await objects.put(keys.probePart(name, version, headFile), bytes, { ifAbsent: true })
  await putJson(objects, keys.probePart(name, version, recordFile), record, { ifAbsent: true })
  await setCurrent(objects, name, version, now)
  return record
}

function counted(classes: string[], target: Float64Array) {
  return classes.map((name, k) => ({ name, count: target.filter((t) => t === k).length }))
}
