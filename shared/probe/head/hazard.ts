import type { Steps } from "../math/steps.ts"
import { riskSets } from "./partial-likelihood.ts"

/** What each distinct time sees, shortest first. */
interface Moment {
  time: number
  events: number
  censored: number
  /** Rows whose time is this or longer, and the log of the sum of their e^score. */
  atRisk: number
  logRisk: number
}

function moments(
  time: Float64Array,
  event: Uint8Array,
  score: Float64Array = new Float64Array(time.length),
): Moment[] {
  const { order, ends } = riskSets(time)
  const found: Moment[] = []
  // Σ e^score is e^highest · sum: a score of perfectly ordered times may well be in the hundreds.
  let highest = Number.NEGATIVE_INFINITY
  let sum = 0
  let from = 0
  for (const end of ends) {
    let events = 0
    for (const row of order.subarray(from, end)) {
      const above = Math.max(highest, score[row])
      sum = sum * Math.exp(highest - above) + Math.exp(score[row] - above)
      highest = above
      events += event[row]
    }
    const logRisk = highest + Math.log(sum)
    found.push({ time: time[order[from]], events, censored: end - from - events, atRisk: end, logRisk })
    from = end
  }
  return found.reverse()
}

/**
 * The log of Breslow's (1972) cumulative baseline hazard, H0(t) = Σ over event times up to t of events / Σ e^score at
 * risk: that of a row whose score is 0. A log, since float32 holds no hazard below 1e-38 or above 1e38. Times are
 * rounded to float32, as the head's file keeps them.
 */
export function logBreslow(time: Float64Array, event: Uint8Array, score: Float64Array): Steps {
  const start = Number.NEGATIVE_INFINITY
  let last = start
  const deadly = moments(time, event, score).filter(({ events }) => events > 0)
  const values = Float64Array.from(deadly, ({ events, logRisk }) => {
    const step = Math.log(events) - logRisk
    last = Math.max(last, step) + Math.log1p(Math.exp(-Math.abs(last - step)))
    return last
  })
  return { times: Float64Array.from(deadly, ({ time }) => Math.fround(time)), values, start }
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
