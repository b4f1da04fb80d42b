import type { Share } from "#shared/probe/measure/wilson.ts"
import type { ProbeRecord } from "#shared/probe/record.ts"

/** How far a probe's probabilities or values are to be believed, for people: a line each. */
export function honest(record: ProbeRecord): string[] {
  if (record.task === "survival") return []
  if (record.task === "regression") {
    const { half, share } = record.interval
    const unit = record.unit ? ` ${record.unit}` : ""
    return half === null
      ? []
      : [`value ± ${half.toPrecision(3)}${unit} is to hold ${100 * share} % of truths`]
  }
  const { reliability, thresholds } = record
  const { slope, intercept, error } = reliability
  const numbers = [
    ...(slope === null ? [] : [`slope ${slope.toFixed(2)}`]),
    ...(intercept === null ? [] : [`intercept ${intercept.toFixed(2)}`]),
    `expected error ${error.toFixed(3)}`,
  ]
  const delong = record.metrics.find(({ name }) => name === "auroc")?.delong
  return [
    ...(delong ? [`auroc by DeLong [${delong.low.toPrecision(3)}, ${delong.high.toPrecision(3)}]`] : []),
    `calibration ${methodOf(record.calibration)}; out of fold ${numbers.join(", ")}`,
    ...thresholds.map(
      ({ rule, threshold, sensitivity, specificity }) =>
        `above ${threshold.toPrecision(3)} (${rule}): sensitivity ${told(sensitivity)}, specificity ${told(specificity)}`,
    ),
  ]
}

type Calibration = Extract<ProbeRecord, { task: "classification" }>["calibration"]

function methodOf(calibration: Calibration): string {
  if (!calibration) return "none"
  return calibration.method === "platt"
    ? `by Platt scaling (slope ${calibration.slope.toFixed(2)})`
    : `by temperature ${calibration.temperature.toFixed(2)}`
}

function told(share: Share | null): string {
  return share ? `${share.value.toFixed(2)} [${share.low.toFixed(2)}, ${share.high.toFixed(2)}]` : "not known"
}
