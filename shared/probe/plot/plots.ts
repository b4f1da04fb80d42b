import type { ProbeRecord } from "../record.ts"
import { calibrationPlot } from "./calibration.ts"
import { errorsPlot } from "./errors.ts"
import type { Plotted } from "./plotted.ts"
import { rocPlot } from "./roc.ts"
import { survivalPlot } from "./survival.ts"

/** The plots that are kept beside `probe.json`, by the probe's task. */
export const plotFiles: Record<ProbeRecord["task"], string[]> = {
  classification: ["roc.svg", "calibration.svg"],
  regression: ["errors.svg"],
  survival: ["survival.svg"],
}

/** Every plot of `plotFiles` as an SVG document, by its file's name. */
export function plotsOf(record: ProbeRecord, plotted: Plotted): Record<string, string> {
  const { task } = record
  if (task === "classification") {
    return { "roc.svg": rocPlot(record, plotted), "calibration.svg": calibrationPlot(record, plotted) }
  }
  if (task === "regression") return { "errors.svg": errorsPlot(record, plotted) }
  return { "survival.svg": survivalPlot(record, plotted) }
}
