import { listEvaluations } from "#shared/probe/external/evaluation.ts"
import { findPanel } from "#shared/probe/panel/panel.ts"
import { getProbe } from "#shared/probe/predict.ts"
import type { JobPorts } from "../../ports.ts"
import type { Output } from "../output.ts"
import { describe } from "./describe.ts"
import { describeEvaluation } from "./eval.ts"
import { describePanel } from "./panel.ts"

/** What a panel, or a version of a probe, is, how well it did, and how well on other cohorts. */
export async function showCommand(
  { name, version }: { name: string; version?: string },
  { objects }: JobPorts,
  out: Output,
): Promise<void> {
  const panel = version === undefined ? await findPanel(objects, name) : undefined
  if (panel) return out.result(panel, describePanel)
  const record = await getProbe(objects, name, version)
  const evaluations = await listEvaluations(objects, name, record.version, ({ message }) =>
    out.remark(message),
  )
  out.result({ ...record, evaluations }, () =>
    [describe(record), ...evaluations.map(describeEvaluation)].join("\n"),
  )
}
