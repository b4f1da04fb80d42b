import * as z from "zod"
import { type OnDamaged, readList } from "#shared/cohort/bounded.ts"
import { ColumnName } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"
import { CohortName, EncoderId, ProbeName } from "#shared/ids.ts"
import { getJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { Metric, Note, ProbeVersion } from "../record.ts"

/**
 * Several findings learned together: classification with many labels, each of two classes. A finding is a probe of its
 * own, as in VoxelFM's evaluation, so that series without one of the labels still teach the others, and everything that
 * is known of a probe is known of a finding; the panel names them, and is asked as one.
 */
export const Panel = z.object({
  format: z.literal("voxkin-panel-1"),
  name: ProbeName,
  cohort: CohortName,
  encoder: EncoderId,
  /** The probe of each label, and the version that the metrics are of. Answers are of the version that answers now. */
  findings: z
    .array(
      z.object({
        label: ColumnName,
        probe: ProbeName,
        version: ProbeVersion,
        count: z.int(),
        positive: z.int(),
      }),
    )
    .min(1),
  /** Labels that nothing could be learned of, and why. */
  leftOut: z.array(Note.extend({ label: ColumnName })),
  /** Means over the findings, of out-of-fold predictions; intervals over the patients of all of them. */
  metrics: z.array(Metric),
  /** The same means of what says the same of everybody, and of the nearest neighbor's label. */
  baseline: z.array(Metric),
  nearest: z.array(Metric),
  createdAt: z.iso.datetime(),
})
export type Panel = z.infer<typeof Panel>

/** @throws Fault `missing` / `no-such-panel` */
export async function getPanel(objects: ObjectStore, name: string): Promise<Panel> {
  const found = await findPanel(objects, name)
  if (found) return found
  throw new Fault("missing", "no-such-panel", `there is no panel ${name}: fit one by naming several labels`)
}

export async function findPanel(objects: ObjectStore, name: string): Promise<Panel | undefined> {
  return (await getJson(objects, keys.panel(name), Panel))?.value
}

/** Every panel, by name. */
export async function listPanels(objects: ObjectStore, onDamaged?: OnDamaged): Promise<Panel[]> {
  const found = await objects.list(keys.panels)
  return readList(found, async (key) => (await getJson(objects, key, Panel))?.value, onDamaged)
}

/** The probes that names stand for: a panel for those of its findings. */
export async function probesNamed(objects: ObjectStore, names: string[]): Promise<string[]> {
  const all: string[] = []
  for (const name of names) {
    const panel = await findPanel(objects, name)
    all.push(...(panel ? panel.findings.map(({ probe }) => probe) : [name]))
  }
  return [...new Set(all)]
}
