import { getCohort } from "#shared/cohort/cohort.ts"
import { listMembers } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"
import { getJson, putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { OutOfFold, outOfFoldFile } from "../evidence.ts"
import { fitProbe } from "../fit.ts"
import type { ProbeRecord } from "../record.ts"
import { labelsOf } from "../study/goal.ts"
import { pickInputs, type ReadInputs, readInputs } from "../study/inputs.ts"
import { patientsOf } from "../study/patients.ts"
import { currentVersion } from "../versions/pointer.ts"
import { corruptProbe } from "../versions/stored.ts"
import { type FindingOutOfFold, macro, meanMetrics } from "./macro.ts"
import { Panel } from "./panel.ts"
import { PanelRequest, probeNames } from "./request.ts"

export interface FitPanelOptions extends PanelRequest {
  now: Date
  onProgress?: (progress: { done: number; total: number; message: string }) => void
}

type Classification = ProbeRecord & { task: "classification" }

/**
 * Fits a probe for each label on a cohort's cached features, which are read once, and keeps the panel that names them. A
 * label that nothing can be learned of (one class only, too few patients) is left out and the panel says why; a
 * column that is not there is a mistake, and nothing is fitted.
 * @throws Fault `no-such-cohort`, `no-such-column`, `name-taken`, `no-features`, `not-finite`, `wrong-encoder`,
 * `corrupt-features`; the first label's own where none is left
 */
export async function fitPanel(objects: ObjectStore, options: FitPanelOptions): Promise<Panel> {
  const { now, onProgress } = options
  const { name, labels, ...request } = PanelRequest.parse(options)
  if (await currentVersion(objects, name)) {
    const message = `there is a probe ${name}: give the panel another name`
    throw new Fault("conflict", "name-taken", message)
  }
  const { cohort, encoder } = await getCohort(objects, request.cohort)
  const members = await listMembers(objects, cohort)
  const asked = [...new Set(labels)]
  const leftOut: Panel["leftOut"] = []
  const faults: Fault[] = []
  const leavingOut = async <T>(label: string, work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (thrown) {
      if (!(thrown instanceof Fault && ofOneLabel.includes(thrown.code))) throw thrown
      faults.push(thrown)
      leftOut.push({ label, code: thrown.code, message: thrown.message })
      return undefined
    }
  }

  const usable: string[] = []
  const wanted = new Set<string>()
  for (const label of asked) {
    const found = labelsOf(members, { task: "classification", label })
    if (!(await leavingOut(label, () => checkTwoClasses(found, label)))) continue
    usable.push(label)
    for (const { series } of found.members) wanted.add(series)
  }
  if (usable.length === 0) throw faults[0]

  const series = [...wanted]
  const all = await readInputs(objects, encoder, series, request.pooling ?? "both", (done) =>
    onProgress?.({ done, total: series.length, message: "reading features" }),
  )
  const read: ReadInputs = async (_objects, _encoder, some) => pickInputs(all, series, some)
  const probes = new Map(probeNames(name, usable).map((probe, n) => [usable[n], probe]))
  const fitted: { label: string; record: Classification }[] = []
  for (const [n, [label, probe]] of [...probes].entries()) {
    onProgress?.({ done: n, total: usable.length, message: `fitting ${label}` })
    const record = await leavingOut(label, () =>
      fitProbe(objects, { ...request, name: probe, task: "classification", label, now, members, read }),
    )
    if (record?.task === "classification") fitted.push({ label, record })
  }
  if (fitted.length === 0) throw faults[0]

  const { group } = patientsOf(members)
  const patientOf = new Map(members.map((member, i) => [member.series, group[i]]))
  const outOfFold = await Promise.all(fitted.map(({ record }) => findingOf(objects, record, patientOf)))
  const panel = Panel.parse({
    format: "voxkin-panel-1",
    name,
    cohort,
    encoder,
    findings: fitted.map(({ label, record }) => ({
      label,
      probe: record.name,
      version: record.version,
      count: record.training.count,
      positive: record.classes[1].count,
    })),
    leftOut,
    metrics: macro(outOfFold, request.seed ?? 0),
    baseline: meanMetrics(fitted.map(({ record }) => record.baseline)),
    nearest: meanMetrics(fitted.map(({ record }) => record.nearest)),
    createdAt: now.toISOString(),
  })
  await putJson(objects, keys.panel(name), panel)
  return panel
}

/** Faults of one label, which need not stop the others. */
const ofOneLabel = ["one-class", "too-few-labels", "too-many-classes", "not-two-classes", "bad-label"]

function checkTwoClasses(labels: ReturnType<typeof labelsOf>, label: string): true {
  const { classes } = labels.learned([...labels.members.keys()])
  if (classes.length === 2) return true
  const message = `column '${label}' has ${classes.length} classes, and a panel's findings have two: fit it as a probe of its own`
  throw new Fault("invalid", "not-two-classes", message)
}

async function findingOf(
  objects: ObjectStore,
  { name, version, classes }: Classification,
  patientOf: Map<string, number>,
): Promise<FindingOutOfFold> {
  const kept = await getJson(objects, keys.probePart(name, version, outOfFoldFile), OutOfFold)
  if (!kept) throw corruptProbe(`${outOfFoldFile} of version ${version} of probe ${name} is not there`)
  const { rows } = kept.value
  return {
    patient: Uint32Array.from(rows, ({ series }) => patientOf.get(series)!),
    truth: Float64Array.from(rows, ({ truth }) => Number(truth === classes[1].name)),
    probability: Float64Array.from(rows, ({ outputs }) => outputs[0]),
  }
}
