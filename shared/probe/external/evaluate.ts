import { setImmediate } from "node:timers/promises"
import { getCohort } from "#shared/cohort/cohort.ts"
import { listMembers } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { judgedOfEach } from "../head/head.ts"
import type { Problem } from "../head/problem.ts"
import { coverageElsewhere } from "../measure/coverage.ts"
import { reliability } from "../measure/reliability.ts"
import { classifies, confusion, score } from "../measure/score.ts"
import { saidBy } from "../measure/trivial.ts"
import { openProbe } from "../predict.ts"
import type { ProbeRecord } from "../record.ts"
import { type Inputs, readInputs } from "../study/inputs.ts"
import { type Patients, patientsOf } from "../study/patients.ts"
import { minPatients } from "../study/study.ts"
import { medianTime } from "../study/survival-times.ts"
import { readTraining } from "../training.ts"
import { EvaluateRequest, ExternalEvaluation, putEvaluation } from "./evaluation.ts"
import { familiar } from "./familiar.ts"
import { columnsFor, externalLabels } from "./labels.ts"
import { judgeExternal } from "./notes.ts"

interface Options {
  now: Date
  onProgress?: (progress: { done: number; total: number; message: string }) => void
}

/**
 * Measures a version of a probe on the labelled series of a cohort, from cached features, with intervals over patients,
 * beside what says the same of everybody, as the training labels had it: no label of the cohort is learned from. Series
 * in its training, and further ones of patients who were, are left out. The result is kept with the version.
 * @throws Fault `no-such-probe`, `no-such-version`, `corrupt-probe`, `no-such-cohort`, `bad-target`, `no-such-column`,
 * `bad-label`, `no-known-class`, `no-events`, `nothing-new`, `too-few-labels`, `no-features`, `not-finite`,
 * `corrupt-features`; `conflict` / `wrong-encoder`
 */
export async function evaluateOn(
  objects: ObjectStore,
  asked: EvaluateRequest,
  { now, onProgress }: Options,
): Promise<ExternalEvaluation> {
  const request = EvaluateRequest.parse(asked)
  const { record, head } = await openProbe(objects, request.name, request.version)
  const { cohort, encoder } = await getCohort(objects, request.cohort)
  if (encoder !== record.encoder.id) throw wrongEncoder(record, `cohort ${cohort} has those of ${encoder}`)
  const target = columnsFor(record, request)
  const training = await readTraining(objects, record)

  const members = await listMembers(objects, cohort)
  const labels = externalLabels(members, target, record)
  const seen = await familiar(objects, record, training, labels.members)
  const fresh = [...labels.members.keys()].filter((i) => {
    const { series } = labels.members[i]
    return !seen.series.has(series) && !seen.ofPatients.has(series)
  })
  if (fresh.length === 0) throw nothingNew(record, cohort, labels.members.length)

  const series = fresh.map((i) => labels.members[i].series)
  const inputs = await readInputs(objects, encoder, series, record.pooling, (done) =>
    onProgress?.({ done, total: series.length, message: "reading features" }),
  )
  checkInputs(record, inputs)
  const used = inputs.found.map((i) => fresh[i])
  const patients = patientsOf(used.map((i) => labels.members[i]))
  if (patients.count < minPatients) throw tooFew(cohort, patients)
  const problem: Problem = { ...labels.goal(used), table: inputs.table }
  onProgress?.({ done: series.length, total: series.length, message: "evaluating" })
  await setImmediate()

  const outputs = judgedOfEach(problem, head, Uint32Array.from(used.keys()))
  const { group } = patients
  const { seed } = request
  const measure = (said: Float64Array) => defined(problem, score(problem, said, group, seed))
  const covered =
    record.task === "regression" ? coverageElsewhere(problem, outputs, record.interval, { group, seed }) : []
  const unknownClass = [...labels.unknown.values()].reduce((sum, count) => sum + count, 0)
  const evaluation = {
    format: "voxkin-evaluation-1" as const,
    probe: record.name,
    version: record.version,
    cohort,
    columns:
      target.task === "survival" ? { time: target.time, event: target.event } : { label: target.label },
    unit: request.unit ?? (record.task === "classification" ? null : record.unit),
    count: used.length,
    patients: patients.known ? patients.count : null,
    leftOut: {
      unlabelled: members.length - labels.members.length - unknownClass,
      unknownClass,
      trainingSeries: seen.series.size,
      trainingPatients: seen.ofPatients.size,
      withoutFeatures: fresh.length - used.length,
    },
    metrics: [...measure(outputs), ...defined(problem, covered)],
    baseline: measure(saidBy(training.trivial, problem)),
    ...about(problem, record, outputs),
    seed,
    createdAt: now.toISOString(),
  }
  const notes = judgeExternal({ record, evaluation, goal: problem, patients, labels, seen })
  const kept = ExternalEvaluation.parse({ ...evaluation, notes })
  await putEvaluation(objects, kept)
  return kept
}

type Measured = ExternalEvaluation["metrics"][number]

/** With null in place of what is not defined. */
function defined(problem: Problem, metrics: ReturnType<typeof score>): Measured[] {
  const finite = (x: number | null) => (x !== null && Number.isFinite(x) ? x : null)
  return metrics.map((metric) => {
    const gridless = metric.name === "integrated-brier" && problem.kind === "cox" && problem.grid.length === 0
    const value = gridless ? null : finite(metric.value)
    if (value === null) return { name: metric.name, value, low: null, high: null }
    return { ...metric, value, low: finite(metric.low), high: finite(metric.high) }
  })
}

/** What the labels are, by task. */
function about(problem: Problem, record: ProbeRecord, outputs: Float64Array) {
  if (problem.kind === "cox") {
    const { target: time, event, grid } = problem
    const horizon = {
      aurocAt: medianTime(time, event),
      brierFrom: grid[0] ?? null,
      brierTo: grid[grid.length - 1] ?? null,
    }
    return { events: event.reduce((sum, e) => sum + e, 0), horizon }
  }
  if (record.task !== "classification" || !classifies(problem.kind)) return {}
  const count = (k: number) => problem.target.filter((t) => t === k).length
  return {
    classes: record.classes.map(({ name }, k) => ({ name, count: count(k) })),
    confusion: confusion(problem, outputs),
    reliability: reliability(problem, outputs),
  }
}

function checkInputs(record: ProbeRecord, { encoder, dim }: Inputs): void {
  const { digest, recipeDigest } = record.encoder
  if (encoder.digest === digest && encoder.recipeDigest === recipeDigest && dim === record.dim) return
  throw wrongEncoder(record, `those of the cohort are of other weights or another recipe`)
}

function wrongEncoder({ name, encoder }: ProbeRecord, has: string): Fault {
  const message = `probe ${name} was fitted on features of ${encoder.id}, and ${has}: add the series with that encoder`
  return new Fault("conflict", "wrong-encoder", message)
}

function nothingNew({ name }: ProbeRecord, cohort: string, count: number): Fault {
  const message = `all ${count} labelled series of cohort ${cohort} were in the training of probe ${name}, or are of patients who were: name another cohort`
  return new Fault("invalid", "nothing-new", message)
}

function tooFew(cohort: string, { count, known }: Patients): Fault {
  const who = known ? "patients" : "series"
  const message = `cohort ${cohort} has ${count} ${who} with labels and features that are new to the probe, and it takes at least ${minPatients}: label more`
  return new Fault("invalid", "too-few-labels", message)
}
