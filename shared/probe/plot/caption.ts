import type { Metric, ProbeRecord } from "../record.ts"
import { subtitleOf } from "./figure.ts"
import type { Caption } from "./page.ts"

type Record<T extends ProbeRecord["task"]> = Extract<ProbeRecord, { task: T }>
export type ClassificationRecord = Record<"classification">
export type RegressionRecord = Record<"regression">
export type SurvivalRecord = Record<"survival">

/** Above a plot of the probe's out-of-fold predictions. */
export function captionOf(record: ProbeRecord, title: string): Caption {
  const { patients, count } = record.training
  const subtitle =
    patients === null ? subtitleOf(record, count, "series") : subtitleOf(record, patients, "patients")
  return { title, subtitle: `${subtitle}, out of fold` }
}

/** As in "0.83 [0.74, 0.90]". */
export function withInterval(
  { value, low, high }: Pick<Metric, "value" | "low" | "high">,
  written = twoPlaces,
): string {
  return `${written(value)}${low === null || high === null ? "" : ` [${written(low)}, ${written(high)}]`}`
}

export function twoPlaces(x: number): string {
  return x.toFixed(2).replace("-", "−")
}

/** A column's name with the unit of its numbers, if that is known. */
export function withUnit(words: string, unit: string | null): string {
  return unit === null || unit === words ? words : `${words} (${unit})`
}
