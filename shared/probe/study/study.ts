import { getCohort } from "#shared/cohort/cohort.ts"
import { listMembers, type Member } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import type { Note, ProbePooling } from "../record.ts"
import type { AskedTarget, Target } from "../request.ts"
import { type Acquisition, acquisitionOf } from "./acquisition.ts"
import { labelsOf } from "./goal.ts"
import { identityNotes } from "./identity.ts"
import { type ProbeEncoder, type ReadInputs, readInputs } from "./inputs.ts"
import { resolved } from "./label-kind.ts"
import { columnOf } from "./labels.ts"
import { type Patients, patientsOf } from "./patients.ts"
import type { Study } from "./rows.ts"

export interface StudyOptions {
  cohort: string
  target: AskedTarget
  pooling: ProbePooling
  /** The cohort's, and who reads their features; from the store when absent. */
  members?: Member[]
  read?: ReadInputs
  onRead?: (done: number, total: number) => void
}

/** Labels and features of a cohort, ready to be fitted. */
export interface ReadStudy {
  study: Study
  /** What was learned of which columns. */
  target: Target
  /** Of classification, in the order of the target's numbers. */
  classes: string[]
  /** The series of each row. */
  series: string[]
  patients: Patients
  /** How each row was acquired; undefined where all were alike. */
  acquisition?: Acquisition
  encoder: ProbeEncoder
  dim: number
  /** What was left out, and what is not known. */
  notes: Note[]
}

/** Cross-validation within fewer says nothing. */
export const minPatients = 4

/** Reads a cohort's labels, patients and pooled features. @throws the Faults that `fitProbe` lists */
export async function readStudy(objects: ObjectStore, options: StudyOptions): Promise<ReadStudy> {
  const { pooling, read = readInputs, onRead } = options
  const cohort = await getCohort(objects, options.cohort)
  const members = options.members ?? (await listMembers(objects, cohort.cohort))
  const { target, notes: ofKind } = resolved(options.target, members)
  const labels = labelsOf(members, target)
  labels.learned([...labels.members.keys()]) // Before thousands of reads: most mistakes are in the labels.

  const asked = labels.members.map(({ series }) => series)
  const inputs = await read(objects, cohort.encoder, asked, pooling, (done) => onRead?.(done, asked.length))
  const { table, found, encoder, dim } = inputs
  const used = found.map((i) => labels.members[i])
  const { goal, stratum, classes } = labels.learned(found)
  const patients = patientsOf(used)
  const columns = target.task === "survival" ? [target.time, target.event] : [target.label]
  if (patients.count < minPatients) {
    throw new Fault(
      "invalid",
      "too-few-labels",
      `${patients.count} ${patients.known ? "patients" : "series"} have features and a value in '${columns.join("' and '")}', ` +
        `and a probe takes at least ${minPatients}: label more`,
    )
  }

  return {
    study: { ...goal, table, group: patients.group, stratum },
    target,
    classes,
    series: used.map(({ series }) => series),
    patients,
    acquisition: acquisitionOf(inputs.acquired, used, columns),
    encoder,
    dim,
    notes: [...notesOf(), ...identityNotes(used, columns[0], target.task)],
  }

  function notesOf(): Note[] {
    const notes: Note[] = [...ofKind]
    const say = (code: string, when: boolean, message: string) => when && notes.push({ code, message })
    const featureless = asked.length - used.length
    const empty = (member: Member) =>
      columns.filter((column) => columnOf(member, column) === undefined).length
    const labelless = members.filter((member) => empty(member) === columns.length).length
    const half = members.length - asked.length - labelless
    say(
      "labels-missing",
      labelless > 0,
      `${labelless} of ${members.length} series have no value in '${columns.join("' or '")}': left out`,
    )
    say(
      "labels-incomplete",
      half > 0,
      `${half} of ${members.length} series have a value in only one of '${columns.join("' and '")}': left out`,
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
