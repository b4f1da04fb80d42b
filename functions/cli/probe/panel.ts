import { getCohort } from "#shared/cohort/cohort.ts"
import { SeriesId } from "#shared/ids.ts"
import { fitPanel } from "#shared/probe/panel/fit.ts"
import type { Panel } from "#shared/probe/panel/panel.ts"
import { openPanel, type PanelPrediction, panelPooled, predictPanel } from "#shared/probe/panel/predict.ts"
import type { PanelRequest } from "#shared/probe/panel/request.ts"
import type { Answer } from "#shared/probe/predict.ts"
import type { JobPorts } from "../../ports.ts"
import { bar, type Output } from "../output.ts"
import { pooledOfPath } from "../query.ts"

export async function fitPanelCommand(request: PanelRequest, ports: JobPorts, out: Output): Promise<void> {
  await getCohort(ports.objects, request.cohort)
  const panel = await fitPanel(ports.objects, {
    ...request,
    now: ports.now(),
    onProgress: ({ done, total, message }) => out.progress(bar(done, total, message)),
  })
  out.result(panel, describePanel)
}

/** What a panel is and how well it did, for people. */
export function describePanel(panel: Panel): string {
  const number = (x: number) => x.toPrecision(3)
  const rows = panel.metrics.map(({ name, value, low, high }) => {
    const interval = low === null || high === null ? "[no interval]" : `[${number(low)}, ${number(high)}]`
    const beside = Object.entries({ trivial: panel.baseline, nearest: panel.nearest })
      .flatMap(([what, all]) =>
        all.filter((m) => m.name === name).map((m) => `   ${what} ${number(m.value)}`),
      )
      .join("")
    return `  ${name.padEnd(16)} ${number(value)}  ${interval}${beside}`
  })
  return [
    `${panel.name}: ${panel.findings.length} findings on ${panel.encoder}, means over them`,
    ...rows,
    ...panel.findings.map(
      ({ label, probe, count, positive }) =>
        `  ${label}: ${positive} of ${count} series; voxkin probe show ${probe}`,
    ),
    ...panel.leftOut.map(({ label, message }) => `  left out ${label}: ${message}`),
  ].join("\n")
}

/** A line per query, with the answer of every finding; 1 if any has none. */
export async function predictByPanel(
  panel: Panel,
  queries: string[],
  ports: JobPorts,
  out: Output,
): Promise<number> {
  const opened = await openPanel(ports.objects, panel)
  let without = 0
  for (const query of queries) {
    const prediction: PanelPrediction = SeriesId.safeParse(query).success
      ? (await predictPanel(ports.objects, opened, [query]))[0]
      : panelPooled(opened, await pooledOfPath(query, panel.encoder, ports, out))
    if ("error" in prediction) without++
    out.result({ query, panel: panel.name, encoder: panel.encoder, ...prediction }, words)
  }
  return without > 0 ? 1 : 0
}

function words(prediction: PanelPrediction & { query: string }): string {
  if ("error" in prediction) return `no answer  ${prediction.error.message} [${prediction.error.code}]`
  const findings = Object.entries(prediction.findings).map(([label, answer]) => `  ${label}: ${said(answer)}`)
  return [prediction.query, ...findings].join("\n")
}

function said(answer: Answer): string {
  return "label" in answer ? `${answer.label} (${answer.probabilities[answer.label].toFixed(3)})` : ""
}
