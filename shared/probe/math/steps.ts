/** A function of time that changes at `times` only (ascending): `values[i]` from `times[i]` on, `start` before. */
export interface Steps {
  times: Float64Array
  values: Float64Array
  start: number
}

/** Its value at a time, a step at that very time taken. */
export function valueAt(steps: Steps, time: number): number {
  return valueAfter(steps, (step) => step <= time)
}

/** Its value just before a time. */
export function valueBefore(steps: Steps, time: number): number {
  return valueAfter(steps, (step) => step < time)
}

function valueAfter({ times, values, start }: Steps, taken: (step: number) => boolean): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (taken(times[middle])) low = middle + 1
    else high = middle
  }
  return low === 0 ? start : values[low - 1]
}
