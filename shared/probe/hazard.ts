import { riskSets } from "./partial-likelihood.ts"
import type { Steps } from "./steps.ts"

/** What each distinct time sees, shortest first. */
interface Moment {
  time: number
  events: number
  censored: number
  /** Σ e^score of those whose time is this or longer. */
  atRisk: number
}

function moments(time: Float64Array, event: Uint8Array, score?: Float64Array): Moment[] {
  const { order, ends } = riskSets(time)
  const found: Moment[] = []
  let atRisk = 0
  for (let g = 0, i = 0; g < ends.length; g++) {
    const from = i
    let events = 0
    for (; i < ends[g]; i++) {
      atRisk += score ? Math.exp(score[order[i]]) : 1
      events += event[order[i]]
    }
    found.push({ time: time[order[from]], events, censored: i - from - events, atRisk })
  }
  return found.reverse()
}

/**
 * Breslow's (1972) cumulative baseline hazard, H0(t) = Σ over event times up to t of events / Σ e^score at risk: that of
 * a patient whose score is 0. Times are rounded to float32, as the head's file keeps them.
 */
export function breslow(time: Float64Array, event: Uint8Array, score: Float64Array): Steps {
  let hazard = 0
  const steps = moments(time, event, score)
    .filter(({ events }) => events > 0)
    .map(({ time, events, atRisk }) => {
      hazard += events / atRisk
      return [Math.fround(time), hazard]
    })
  return {
    times: Float64Array.from(steps, ([t]) => t),
    values: Float64Array.from(steps, ([, h]) => h),
    start: 0,
  }
}

/** Kaplan and Meier's (1958) estimate of the probability of no event up to and at a time. */
export function kaplanMeier(time: Float64Array, event: Uint8Array): Steps {
  return product(moments(time, event), ({ events, atRisk }) => 1 - events / atRisk)
}

/**
 * Kaplan and Meier's estimate of the probability of not being censored up to and at a time. Events come before
 * censorings at the same time, so those who had theirs are no longer at risk of being censored then.
 */
export function uncensored(time: Float64Array, event: Uint8Array): Steps {
  return product(moments(time, event), ({ events, censored, atRisk }) =>
    censored === 0 ? 1 : 1 - censored / (atRisk - events),
  )
}

function product(all: Moment[], factor: (moment: Moment) => number): Steps {
  let share = 1
  const values = Float64Array.from(all, (moment) => {
    share *= factor(moment)
    return share
  })
  return { times: Float64Array.from(all, ({ time }) => time), values, start: 1 }
}
