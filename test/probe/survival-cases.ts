import { prng } from "#shared/probe/math/prng.ts"
import type { Study } from "#shared/probe/study/rows.ts"
import { gridOf } from "#shared/probe/study/survival-times.ts"
import { now, type Row } from "./cohort.ts"

export type CoxStudy = Study & { kind: "cox" }

/** A study in which each row is a patient of its own. */
export function coxStudy(values: Float32Array, times: number[], events: number[]): CoxStudy {
  const target = Float64Array.from(times)
  const event = Uint8Array.from(events)
  const grid = gridOf(target, event)
  const rows = times.length
  return {
    kind: "cox",
    table: { values, rows, columns: values.length / rows },
    target,
    event,
    grid,
    outputs: 1 + grid.length,
    group: Uint32Array.from(target.keys()),
    stratum: Uint32Array.from(event),
  }
}

export function noise(count: number, seed: number): Float32Array {
  const random = prng(seed)
  return Float32Array.from({ length: count }, () => 2 * random() - 1)
}

/** Harrell's C as its definition has it: every pair looked at. */
export function bruteConcordance(
  time: Float64Array,
  event: Uint8Array,
  risk: Float64Array,
  weight: ArrayLike<number> = new Uint8Array(time.length).fill(1),
): number {
  let right = 0
  let pairs = 0
  for (let i = 0; i < time.length; i++) {
    for (let j = 0; j < time.length; j++) {
      const counts = event[i] === 1 && (time[i] < time[j] || (time[i] === time[j] && event[j] === 0))
      if (!counts) continue
      const both = weight[i] * weight[j]
      pairs += both
      right += both * (risk[i] > risk[j] ? 1 : risk[i] === risk[j] ? 0.5 : 0)
    }
  }
  return right / pairs
}

export const rows = (count: number, make: (n: number) => Row): Row[] =>
  Array.from({ length: count }, (_, n) => make(n))
/** What asks for the survival probe that the tests fit. */
export const ask = (change: object = {}) =>
  ({
    name: "outcome",
    cohort: "c",
    task: "survival",
    time: "days",
    event: "died",
    unit: "days",
    now,
    ...change,
  }) as const

/** Times whose hazard grows with the signal in the features, a third of them censored; the event in four spellings. */
export function cohortOf(count: number): Row[] {
  const random = prng(12)
  return rows(count, (n) => {
    const signal = 2 * random()
    const days = Math.ceil(200 * -Math.log(1 - random()) * Math.exp(-2 * signal) + 1)
    const died = random() < 0.67
    const spelled = n % 2 ? died : died ? "1" : "0"
    return { signal, labels: { days, died: n % 3 ? spelled : Number(died) }, metadata: { patient: n >> 1 } }
  })
}
