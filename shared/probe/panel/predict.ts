import * as z from "zod"
import { mapBounded, storeConcurrency } from "#shared/cohort/bounded.ts"
import { ColumnName } from "#shared/cohort/members.ts"
import type { Pooled } from "#shared/features/features.ts"
import { SeriesId } from "#shared/ids.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { Answer, ofEach, openProbe, type Probe, predictPooled, Unanswered } from "../predict.ts"
import type { OpenProbe } from "../versions/cache.ts"
import type { Panel } from "./panel.ts"

/** What every finding's probe says of one series, or why there is no answer. */
export const PanelPrediction = z.union([
  z.object({ series: SeriesId, findings: z.record(ColumnName, Answer) }),
  Unanswered,
])
export type PanelPrediction = z.infer<typeof PanelPrediction>

/** A panel that is ready to answer: its labels, and their probes in the versions that answer now. */
export type OpenPanel = { panel: Panel; probes: { label: string; probe: Probe }[] }

/** @throws the Faults of `openProbe` for any of its probes */
export async function openPanel(
  objects: ObjectStore,
  panel: Panel,
  open: OpenProbe = (name) => openProbe(objects, name),
): Promise<OpenPanel> {
  const probes = await mapBounded(panel.findings, storeConcurrency, async ({ label, probe }) => ({
    label,
    probe: await open(probe),
  }))
  return { panel, probes }
}

/**
 * What a panel says of each series, whose cached features are read once for all findings. A series without features, or
 * with damaged ones, gets an `error` and does not stop the others.
 * @throws Fault `conflict` / `wrong-encoder`
 */
export function predictPanel(
  objects: ObjectStore,
  opened: OpenPanel,
  series: string[],
): Promise<PanelPrediction[]> {
  return ofEach(objects, opened.panel.encoder, series, (pooled) => panelPooled(opened, pooled))
}

/** From features in memory. @throws Fault `wrong-encoder`, `not-finite` */
export function panelPooled(
  { probes }: OpenPanel,
  pooled: Pooled,
): { series: string; findings: Record<string, Answer> } {
  const answers = probes.map(({ label, probe }) => [label, predictPooled(probe, pooled).prediction] as const)
  return { series: pooled.receipt.series, findings: Object.fromEntries(answers) }
}
