import { getCohort } from "#shared/cohort/cohort.ts"
import { listMembers } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { type ProbeEncoder, readInputs } from "./inputs.ts"
import { classes, labelled, numbers } from "./labels.ts"
import { type Patients, patientsOf } from "./patients.ts"
import type { Study } from "./penalty.ts"
import type { Note, ProbePooling } from "./record.ts"

export interface StudyOptions {
  cohort: string
  label: string
  task: "classification" | "regression"
  pooling: ProbePooling
  onRead?: (done: number, total: number) => void
}

/** Labels and features of a cohort, ready to be fitted. */
export interface ReadStudy {
  study: Study
  /** Of classification, in the order of the target's numbers. */
  classes: string[]
  /** The series of each row. */
  series: string[]
  patients: Patients
  encoder: ProbeEncoder
  dim: number
  /** What was left out, and what is not known. */
  notes: Note[]
}

/** Cross-validation within fewer says nothing. */
const minPatients = 4
/** Numbers are spread over the folds by fifths of their range in order. */
const fifths = 5

/** Reads a cohort's labels, patients and pooled features. @throws the Faults that `fitProbe` lists */
export async function readStudy(objects: ObjectStore, options: StudyOptions): Promise<ReadStudy> {
  const { label, task, pooling, onRead } = options
  const cohort = await getCohort(objects, options.cohort)
  const members = await listMembers(objects, cohort.cohort)
  const labels = labelled(members, label)
  const targetOf = task === "regression" ? numbers : classes
  targetOf(labels, label) // Before thousands of reads: most mistakes are in the labels.

  const asked = labels.map(({ member }) => member.series)
  const inputs = await readInputs(objects, cohort.encoder, asked, pooling, (done) =>
    onRead?.(done, asked.length),
  )
  const { table, found, encoder, dim } = inputs
  const used = found.map((i) => labels[i])
  const { target, names } = targetOf(used, label)
  const patients = patientsOf(used.map(({ member }) => member))
  if (patients.count < minPatients) {
    throw new Fault(
      "invalid",
      "too-few-labels",
      `${patients.count} ${patients.known ? "patients" : "series"} have features and a value in '${label}', ` +
        `and a probe takes at least ${minPatients}: label more`,
    )
  }

  const kind = task === "regression" ? "ridge" : names.length === 2 ? "logistic" : "softmax"
  const outputs = kind === "softmax" ? names.length : 1
  const stratum = task === "regression" ? fifthOf(target) : Uint32Array.from(target)
  return {
    study: { kind, table, target, outputs, group: patients.group, stratum },
    classes: names,
    series: used.map(({ member }) => member.series),
    patients,
    encoder,
    dim,
    notes: notesOf(),
  }

  function notesOf(): Note[] {
    const notes: Note[] = []
    const say = (code: string, when: boolean, message: string) => when && notes.push({ code, message })
    const [all, labelless, featureless] = [
      members.length,
      members.length - labels.length,
      labels.length - used.length,
    ]
    say(
      "labels-missing",
      labelless > 0,
      `${labelless} of ${all} series have no value in '${label}': left out`,
    )
    say(
      "features-missing",
      featureless > 0,
      `${featureless} labelled series have no features under ${encoder.id}: left out`,
    )
    say(
      "patients-unknown",
      !patients.known,
      "there is no column 'patient', so each series counts as a patient: if some share one, the metrics are too good",
    )
    say(
      "patients-missing",
      patients.missing > 0,
      `${patients.missing} series have no value in 'patient': each counts as a patient of its own`,
    )
    return notes
  }
}

/** Which fifth of the values, in order, each belongs to. */
function fifthOf(target: Float64Array): Uint32Array {
  const fifth = new Uint32Array(target.length)
  const order = [...target.keys()].sort((a, b) => target[a] - target[b])
  for (const [rank, row] of order.entries()) fifth[row] = Math.floor((rank * fifths) / target.length)
  return fifth
}
