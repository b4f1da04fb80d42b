import type { Goal } from "../head/problem.ts"
import type { Note, ProbeRecord } from "../record.ts"
import type { Patients } from "../study/patients.ts"
import type { ExternalEvaluation } from "./evaluation.ts"
import type { Familiar } from "./familiar.ts"
import type { ExternalLabels } from "./labels.ts"

export interface ToJudge {
  record: ProbeRecord
  evaluation: Omit<ExternalEvaluation, "notes">
  goal: Goal
  patients: Patients
  labels: ExternalLabels
  seen: Familiar
}

/** Fewer patients, or events, make intervals that say little. */
const small = 50

/** What the reader of an evaluation's numbers should know about them. */
export function judgeExternal({ record, evaluation, goal, patients, labels, seen }: ToJudge): Note[] {
  const { leftOut, unit, classes, events } = evaluation
  const notes: Note[] = [...seen.notes]
  const say = (code: string, when: boolean, message: string) => when && notes.push({ code, message })
  const who = patients.known ? "patients" : "series"

  say("labels-missing", leftOut.unlabelled > 0, `${leftOut.unlabelled} series have no label: left out`)
  say(
    "unknown-classes",
    labels.unknown.size > 0,
    `${leftOut.unknownClass} series are of classes that the probe does not know (${counted(labels.unknown)}): left out`,
  )
  say(
    "training-series",
    leftOut.trainingSeries > 0,
    `${leftOut.trainingSeries} series were in the probe's training: left out`,
  )
  say(
    "training-patients",
    leftOut.trainingPatients > 0,
    `${leftOut.trainingPatients} series are of patients whose other series were in the probe's training, by the column ` +
      "'patient': left out; where two patients share a name, tell them apart in that column",
  )
  say(
    "features-missing",
    leftOut.withoutFeatures > 0,
    `${leftOut.withoutFeatures} labelled series have no features under ${record.encoder.id}: left out`,
  )
  const own = record.task === "classification" ? null : record.unit
  say(
    "unit-differs",
    unit !== own,
    `the labels are in ${unit ?? "no stated unit"} and the probe answers in ${own ?? "no stated unit"}: nothing was converted, and errors ` +
      "and curves count only if that is the same",
  )
  say(
    "patients-unknown",
    !patients.known,
    "there is no column 'patient', so each series counts as a patient: if some share one, the intervals are too narrow",
  )
  say(
    "patients-missing",
    patients.missing > 0,
    `${patients.missing} series have no value in 'patient': each counts as a patient of its own`,
  )
  say(
    "small-test-set",
    patients.count < small,
    `only ${patients.count} ${who} were tested on: the metrics may be far off, and the intervals too narrow`,
  )
  say(
    "few-events",
    events !== undefined && events < small,
    `only ${events} series had the event: the metrics may be far off`,
  )
  const absent = (classes ?? []).filter(({ count }) => count === 0).map(({ name }) => `'${name}'`)
  say(
    "class-absent",
    absent.length > 0,
    `no series is of class ${absent.join(", ")}: metrics that need every class are not defined`,
  )
  say(
    "constant-label",
    goal.kind === "ridge" && goal.target.every((t) => t === goal.target[0]),
    "all labels are the same number: R² is not defined",
  )
  say(
    "no-common-times",
    goal.kind === "cox" && goal.grid.length === 0,
    "no event lies within the follow-up that the probe knows: the integrated Brier score is not defined",
  )
  const undefinedIn = evaluation.metrics.filter(({ value, low }) => value !== null && low === null)
  say(
    "no-interval",
    undefinedIn.length > 0,
    `${undefinedIn.map(({ name }) => name).join(", ")}: not defined in most bootstrap replicates, so without interval`,
  )
  return notes
}

function counted(unknown: Map<string, number>): string {
  const most = [...unknown].sort(([, a], [, b]) => b - a)
  const named = most.slice(0, 10).map(([name, count]) => `'${name.slice(0, 40)}' ${count}`)
  return `${named.join(", ")}${most.length > named.length ? ", …" : ""}`
}
