import type { Member } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"
import { sha256, timeStamp } from "#shared/ids.ts"
import { putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { keepEvidence } from "./evidence.ts"
import { encodeHead } from "./head/file.ts"
import { calibrationOf } from "./head/head.ts"
import { predictionInterval } from "./measure/coverage.ts"
import { type Evaluation, evaluate } from "./measure/evaluate.ts"
import { acquisitionAlone } from "./measure/leaks.ts"
import type { Learned } from "./measure/learn.ts"
import { judge } from "./measure/notes.ts"
import { reliability } from "./measure/reliability.ts"
import { workersFor } from "./measure/threads.ts"
import { thresholdsOf } from "./measure/thresholds.ts"
import { trivialOf } from "./measure/trivial.ts"
import { plotFiles } from "./plot/plots.ts"
import { ProbeRecord, recordFile } from "./record.ts"
import { FitRequest, methodOf, targetOf } from "./request.ts"
import type { ReadInputs } from "./study/inputs.ts"
import { type ReadStudy, readStudy } from "./study/study.ts"
import { quartiles } from "./study/survival-times.ts"
import { encodeTraining, trainingFile } from "./training.ts"
import { setCurrent } from "./versions/pointer.ts"

export interface FitOptions extends FitRequest {
  now: Date
  /** The cohort's, and who reads their features; from the store when absent. */
  members?: Member[]
  read?: ReadInputs
  onProgress?: (progress: { done: number; total: number; message: string }) => void
}

const headFile = "head.safetensors"
const chosenBy = { linear: "penalty", neighbors: "neighbors" } as const

/**
 * Fits a probe on a cohort's cached features and labels, measures it by cross-validation, and keeps it as a new
 * version, which answers from then on unless it is to be a candidate. A version's files never change; the pointer is
 * flipped last.
 * @throws Fault `bad-target`, `name-taken`, `no-such-cohort`, `no-such-column`, `bad-label`, `one-class`, `constant-label`,
 * `too-many-classes`, `no-events`, `too-short-follow-up`, `too-few-labels`, `no-features`, `not-finite`, `wrong-encoder`, `corrupt-features`
 */
export async function fitProbe(objects: ObjectStore, options: FitOptions): Promise<ProbeRecord> {
  const { now, onProgress } = options
  const request = FitRequest.parse(options)
  const { name, cohort, pooling, folds, seed } = request
  const method = methodOf(request)
  const asked = targetOf(request)
  await checkName(objects, name)
  const read = await readStudy(objects, {
    cohort,
    target: asked,
    pooling,
    members: options.members,
    read: options.read,
    onRead: (done, total) => onProgress?.({ done, total, message: "reading features" }),
  })
  const { study, target, patients, encoder, dim } = read

  const rows = Uint32Array.from(study.target.keys())
  const workers = workersFor(study.table, folds + 1)
  const [learnt, evaluation, alone] = await Promise.all([
    // The longest first, so that no thread is left alone with it.
    workers.learn({ study, rows, method, seed }),
    evaluate(study, {
      folds,
      seed,
      method,
      workers,
      onFold: (done, total) => onProgress?.({ done, total, message: "evaluating" }),
    }),
    acquisitionAlone(study, read.acquisition, { folds, seed }),
  ]).finally(workers.close)
  const { head, choice, converged } = learnt
  if (head.kind === "knn") head.series = read.series

  const bytes = encodeHead(head)
  const digest = sha256(bytes)
  const training = encodeTraining({ series: read.series, trivial: trivialOf(study) })
  const version = `${timeStamp(now)}-${digest.slice(0, 8)}`
  const record = ProbeRecord.parse({
    format: "voxkin-probe-2",
    name,
    version,
    ...target,
    ...learned(read, learnt, evaluation, request.unit ?? null),
    encoder,
    pooling,
    dim,
    head: { kind: head.kind, file: headFile, sha256: digest },
    choice: { of: chosenBy[method.kind], ...choice, perFold: evaluation.choices.map(({ value }) => value) },
    training: {
      cohort,
      count: read.series.length,
      seriesDigest: sha256([...read.series].sort().join("\n")),
      file: trainingFile,
      sha256: sha256(training),
      patients: patients.known ? patients.count : null,
      split: patients.known ? "by patient" : "by series",
      folds: evaluation.folds,
      seed,
    },
    metrics: evaluation.metrics,
    baseline: evaluation.baseline,
    nearest: evaluation.nearest,
    acquisition: alone,
    notes: judge({
      ...read,
      evaluation,
      alone,
      head,
      converged: converged && evaluation.converged,
      foldsAsked: folds,
      neighborsAsked: request.neighbors,
      byDefault: [choice, ...evaluation.choices].some(({ by }) => by === "default"),
    }),
    plots: plotFiles[target.task],
    createdAt: now.toISOString(),
    intendedUse: "Research use only; not a medical device.",
  })

  await objects.put(keys.probePart(name, version, headFile), bytes, { ifAbsent: true })
  await objects.put(keys.probePart(name, version, trainingFile), training, { ifAbsent: true })
  await keepEvidence(objects, record, read, evaluation)
  await putJson(objects, keys.probePart(name, version, recordFile), record, { ifAbsent: true })
  if (request.promote) await setCurrent(objects, name, version, now)
  return record
}

/** A panel and a probe are asked by their names alike. @throws Fault `conflict` / `name-taken` */
async function checkName(objects: ObjectStore, name: string): Promise<void> {
  if (!(await objects.has(keys.panel(name)))) return
  throw new Fault("conflict", "name-taken", `there is a panel ${name}: give the probe another name`)
}

/** What a record says of the labels and of the answers, by task. */
function learned(
  { study, target, classes }: ReadStudy,
  { head, calibratedOn }: Learned,
  { confusion, outOfFold }: Evaluation,
  unit: string | null,
) {
  if (study.kind === "cox") {
    const { target: time, event, grid } = study
    const answersAt = quartiles(time, event)
    return {
      unit,
      events: event.reduce((sum, e) => sum + e, 0),
      ties: head.kind === "knn" ? null : "efron",
      answersAt,
      followUp: time.reduce((longest, t) => Math.max(longest, t)),
      horizon: { aurocAt: answersAt[1], brierFrom: grid[0], brierTo: grid[grid.length - 1] },
    }
  }
  if (target.task === "regression") return { unit, interval: predictionInterval(study, outOfFold) }
  const calibration = calibrationOf(head)
  return {
    classes: counted(classes, study.target),
    confusion,
    calibration: calibration ? { ...calibration, of: calibratedOn } : null,
    reliability: reliability(study, outOfFold),
    thresholds: study.outputs === 1 ? thresholdsOf(study.target, outOfFold) : [],
  }
}

function counted(classes: string[], target: Float64Array) {
  return classes.map((name, k) => ({ name, count: target.filter((t) => t === k).length }))
}
