import { readList } from "#shared/cohort/bounded.ts"
import { getMember, type Member } from "#shared/cohort/members.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import type { Note, ProbeRecord } from "../record.ts"
import { columnOf } from "../study/labels.ts"
import type { Training } from "../training.ts"

/** Which of some members a probe has seen in training. */
export interface Familiar {
  /** Its own training series. */
  series: Set<string>
  /** Further series of patients that it was trained on. */
  ofPatients: Set<string>
  /** What of this could not be found out. */
  notes: Note[]
}

/**
 * Training series are known by the version's own list, training patients by the column `patient` of the training
 * cohort, as far as it is here and still holds those series. Patients are the same where their names are.
 */
export async function familiar(
  objects: ObjectStore,
  { training }: ProbeRecord,
  { series: trained }: Training,
  members: Member[],
): Promise<Familiar> {
  const own = new Set(trained)
  const there = await readList(
    trained,
    (id) => getMember(objects, training.cohort, id),
    () => {},
  )
  const patients = new Set(there.flatMap((member) => patientOf(member) ?? []))
  const series = new Set(members.map(({ series }) => series).filter((id) => own.has(id)))
  const ofPatients = members.filter((member) => {
    const patient = patientOf(member)
    return patient !== undefined && patients.has(patient) && !own.has(member.series)
  })
  const named = members.some((member) => patientOf(member) !== undefined)
  return {
    series,
    ofPatients: new Set(ofPatients.map(({ series }) => series)),
    notes: notes(),
  }

  function notes(): Note[] {
    const unknown = (why: string) => ({
      code: "training-patients-unknown",
      message: `${why}: if the probe was trained on patients of this cohort by other series, the metrics are too good`,
    })
    if (there.length === 0)
      return [
        unknown(`the training cohort ${training.cohort} is not here, or holds none of the training series`),
      ]
    if (patients.size === 0)
      return [unknown(`the training cohort ${training.cohort} has no column 'patient'`)]
    if (!named) return [unknown("the cohort has no column 'patient'")]
    const gone = trained.length - there.filter((member) => patientOf(member) !== undefined).length
    if (gone === 0) return []
    return [unknown(`of ${gone} of ${trained.length} training series the patient is no longer known`)]
  }
}

function patientOf(member: Member): string | undefined {
  const patient = columnOf(member, "patient")
  return patient === undefined ? undefined : String(patient)
}
