import { uncensored } from "../head/hazard.ts"
import { valueAt } from "../math/steps.ts"

/** A held-out survival curve is judged at this many event times at most: it is kept for every row. */
const mostTimes = 100

/**
 * The times at which held-out survival curves are judged: the distinct event times up to the largest at which the
 * share of the uncensored is still above 0; of more than 100 every so many-th, first and last among them. Ascending.
 */
export function gridOf(time: Float64Array, event: Uint8Array): Float64Array {
  const seen = uncensored(time, event)
  const times = [...new Set(eventTimes(time, event))].filter((t) => valueAt(seen, t) > 0)
  if (times.length <= mostTimes) return Float64Array.from(times)
  const every = (times.length - 1) / (mostTimes - 1)
  return Float64Array.from({ length: mostTimes }, (_, k) => times[Math.round(k * every)])
}

/** The quarter, half and three quarter points of the event times, each an event's own time. Ascending. */
export function quartiles(time: Float64Array, event: Uint8Array): [number, number, number] {
  const times = eventTimes(time, event)
  const at = (share: number) => times[Math.ceil(share * times.length) - 1]
  return [at(0.25), at(0.5), at(0.75)]
}

/** The (lower) median of the event times. */
export function medianTime(time: Float64Array, event: Uint8Array): number {
  return quartiles(time, event)[1]
}

function eventTimes(time: Float64Array, event: Uint8Array): number[] {
  return Array.from(time.filter((_, row) => event[row] === 1)).sort((a, b) => a - b)
}
