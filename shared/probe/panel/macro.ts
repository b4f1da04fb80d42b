import { bootstrap, type Weighted } from "../measure/bootstrap.ts"
import { binaryMetrics } from "../measure/score.ts"
import type { Metric } from "../record.ts"

/** What heads that had never seen its patient said of each series that has one label. */
export interface FindingOutOfFold {
  /** The patient of each row, the same number in all findings. */
  patient: Uint32Array
  /** 1 for the second class, else 0. */
  truth: Float64Array
  /** Of the second class. */
  probability: Float64Array
}

/**
 * Means of each metric over the findings, with intervals over patients, who are drawn once for all findings: two
 * findings of one scan are no two scans. Of a replicate in which a finding has one class only, the others speak.
 */
export function macro(findings: FindingOutOfFold[], seed: number): Metric[] {
  const all = findings.map(({ truth, probability }) => binaryMetrics(truth, probability))
  const starts = findings.map((_, i) => findings.slice(0, i).reduce((sum, f) => sum + f.truth.length, 0))
  const names = Object.keys(all[0])
  const metrics = names.map(
    (name): Weighted =>
      (weight) =>
        meanOfDefined(
          all.map((metric, i) =>
            metric[name](weight?.subarray(starts[i], starts[i] + findings[i].truth.length)),
          ),
        ),
  )
  const { intervals } = bootstrap(metrics, numbered(findings), { seed })
  return names.map((name, m) => ({
    name: `macro-${name}`,
    value: metrics[m](),
    low: intervals[m]?.low ?? null,
    high: intervals[m]?.high ?? null,
  }))
}

function meanOfDefined(values: number[]): number {
  const defined = values.filter((value) => !Number.isNaN(value))
  return defined.reduce((sum, value) => sum + value, 0) / defined.length
}

/** The patients of all rows, one finding after the other, numbered from 0 without gaps. */
function numbered(findings: FindingOutOfFold[]): Uint32Array {
  const numbers = new Map<number, number>()
  return Uint32Array.from(
    findings.flatMap(({ patient }) => [...patient]),
    (patient) => {
      if (!numbers.has(patient)) numbers.set(patient, numbers.size)
      return numbers.get(patient)!
    },
  )
}

/** Means of each metric that all have, without intervals. */
export function meanMetrics(all: Metric[][]): Metric[] {
  const values = (name: string) => all.flatMap((metrics) => metrics.find((m) => m.name === name)?.value ?? [])
  return all[0]
    .filter(({ name }) => values(name).length === all.length)
    .map(({ name }) => ({ name: `macro-${name}`, value: meanOfDefined(values(name)), low: null, high: null }))
}
