import * as z from "zod"
import { Fault } from "#shared/errors.ts"
import { SeriesId } from "#shared/ids.ts"
import { putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { curvePlot } from "./curve/record.ts"
import { seriesOfOverlay } from "./explain/overlays.ts"
import type { Evaluation } from "./measure/evaluate.ts"
import { plotsOf } from "./plot/plots.ts"
import type { ProbeRecord } from "./record.ts"
import type { ReadStudy } from "./study/study.ts"

export const outOfFoldFile = "out-of-fold.json"

/** Every prediction that a probe's metrics, plots and thresholds were made from: by a head that never saw its patient. */
export const OutOfFold = z.object({
  format: z.literal("voxkin-out-of-fold-1"),
  /** What each number of `outputs` is. */
  outputs: z.array(z.string()),
  rows: z.array(
    z.object({
      series: SeriesId,
      /** Numbered from 0 in this file; who that is, is not said. */
      patient: z.int(),
      fold: z.int(),
      /** The class, the value, or when and whether the event was. */
      truth: z.union([z.string(), z.number(), z.object({ time: z.number(), event: z.boolean() })]),
      outputs: z.array(z.number()),
    }),
  ),
})
export type OutOfFold = z.infer<typeof OutOfFold>

/** Writes what stands beside a version's `probe.json`: its out-of-fold predictions and the plots of them. */
export async function keepEvidence(
  objects: ObjectStore,
  record: ProbeRecord,
  read: ReadStudy,
  evaluation: Evaluation,
): Promise<void> {
  const { name, version } = record
  const key = (part: string) => keys.probePart(name, version, part)
  await putJson(objects, key(outOfFoldFile), outOfFoldOf(read, evaluation), { ifAbsent: true })
  const plots = plotsOf(record, { study: read.study, outOfFold: evaluation.outOfFold })
  for (const [file, svg] of Object.entries(plots)) {
    await objects.put(key(file), new TextEncoder().encode(svg), { ifAbsent: true })
  }
}

function outOfFoldOf({ study, classes, series }: ReadStudy, { fold, outOfFold }: Evaluation): OutOfFold {
  const { outputs: width, target } = study
  return {
    format: "voxkin-out-of-fold-1",
    outputs: named(),
    rows: series.map((id, row) => ({
      series: id,
      patient: study.group[row],
      fold: fold[row],
      truth:
        study.kind === "cox"
          ? { time: target[row], event: study.event[row] === 1 }
          : (classes[target[row]] ?? target[row]),
      // A hundred probabilities of survival each: six digits will do. What is ranked is kept whole.
      outputs: Array.from(outOfFold.subarray(row * width, (row + 1) * width), (said, k) =>
        study.kind === "cox" && k > 0 ? Number(said.toPrecision(6)) : said,
      ),
    })),
  }

  function named(): string[] {
    if (study.kind === "cox") return ["risk", ...Array.from(study.grid, (time) => `survival at ${time}`)]
    if (classes.length === 0) return ["value"]
    return (width === 1 ? classes.slice(1) : classes).map((name) => `probability of ${name}`)
  }
}

/**
 * One of the plots that a record lists, the learning curve or the overlay of a series where one was made, as an SVG
 * document.
 * @throws Fault `missing` / `no-such-plot`; `unavailable` / `corrupt-probe` when it is not where it was written
 */
export async function readPlot(
  objects: ObjectStore,
  { name, version, plots }: ProbeRecord,
  plot: string,
): Promise<Uint8Array> {
  const series = seriesOfOverlay(plot)
  const key = series ? keys.probeOverlay(name, version, series) : keys.probePart(name, version, plot)
  const known = plots.includes(plot)
  const object = known || series || plot === curvePlot ? await objects.get(key) : undefined
  if (object) return object.bytes
  if (!known) {
    throw new Fault(
      "missing",
      "no-such-plot",
      series
        ? `nothing was laid over ${series} by probe ${name}: let probe explain --keep draw it from its scan`
        : `probe ${name} has no plot '${plot}': it has ${plots.join(", ")}`,
    )
  }
  throw new Fault("unavailable", "corrupt-probe", `the plot ${key} is not there: fit the probe again`)
}
