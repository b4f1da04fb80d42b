import type { Steps } from "../math/steps.ts"
import { riskSets } from "./partial-likelihood.ts"

/**
 * Kaplan and Meier's estimate with a weight per row: Π over event times up to t of 1 − weight of events / weight at
 * risk; with weights by nearness it is Beran's (1981) conditional estimate. Past the last time it stays where it is
 * (Gill 1980). Steps at event times only; rows that weigh nothing count for nothing.
 * @param event 1 where the time is that of the event, 0 where the row was lost from sight
 */
export function weightedKaplanMeier(time: Float64Array, event: Uint8Array, weight: Float64Array): Steps {
  const { order, ends } = riskSets(time)
  const deadly: { time: number; share: number }[] = []
  let atRisk = 0
  let from = 0
  for (const end of ends) {
    let dying = 0
    let leaving = 0
    for (const row of order.subarray(from, end)) {
      if (event[row]) dying += weight[row]
      else leaving += weight[row]
    }
    atRisk += leaving + dying
    if (dying > 0) deadly.push({ time: time[order[from]], share: 1 - dying / atRisk })
    from = end
  }
  deadly.reverse()
  let alive = 1
  const values = Float64Array.from(deadly, ({ share }) => {
    alive *= share
    return alive
  })
  return { times: Float64Array.from(deadly, ({ time }) => time), values, start: 1 }
}

/**
 * 1 − restricted mean survival time / horizon (Royston and Parmar 2013): the share of the time up to the horizon that is
 * lost to the event, 0 to 1. Unlike the cumulative hazard it tells an early event from a late one where a single
 * neighbor is all there is.
 */
export function lostShare({ times, values, start }: Steps, horizon: number): number {
  let lost = 0
  let since = 0
  let alive = start
  for (let i = 0; i < times.length && times[i] < horizon; i++) {
    lost += (1 - alive) * (times[i] - since)
    since = times[i]
    alive = values[i]
  }
  lost += (1 - alive) * (horizon - since)
  return lost / horizon
}
