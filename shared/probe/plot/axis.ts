/** What one side of a plot shows: its words, with the unit, and its range. */
export interface Axis {
  label: string
  from: number
  to: number
  /** Equal factors are equally far apart; `from` is above 0. */
  log?: boolean
  /** Where numbers stand; at round ones if absent. */
  ticks?: number[]
}

/** An axis whose range holds all the values and ends at round numbers. Values that are not finite are passed over. */
export function axisOf(label: string, values: Iterable<number>): Axis {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (!Number.isFinite(value)) continue
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  if (low > high) return { label, from: 0, to: 1 }
  if (low === high) {
    const around = Math.abs(low) || 1
    return { label, from: low - around / 2, to: high + around / 2 }
  }
  const step = roundStep((high - low) / 5)
  return { label, from: Math.floor(low / step) * step, to: Math.ceil(high / step) * step }
}

/** How far along the axis a value lies: 0 at `from`, 1 at `to`. */
export function along({ from, to, log }: Axis, value: number): number {
  if (log) return Math.log(value / from) / Math.log(to / from)
  return (value - from) / (to - from)
}

/** Where the axis has numbers, and how they are written. */
export function ticksOf(axis: Axis): { at: number; words: string }[] {
  const { from, to, log } = axis
  const room = (Math.abs(to - from) || 1) * 1e-9
  const values = axis.ticks ?? (log ? logTicks(from, to) : linearTicks(from, to))
  const shown = values.filter((value) => value >= from - room && value <= to + room)
  return shown.map((at) => ({ at, words: written(at) }))
}

function linearTicks(from: number, to: number): number[] {
  const step = roundStep((to - from) / 5)
  const first = Math.ceil(from / step - 1e-9)
  const last = Math.floor(to / step + 1e-9)
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step)
}

/** Powers of ten, and over few of them also their doubles and halves. */
function logTicks(from: number, to: number): number[] {
  const parts = to / from > 1e3 ? [1] : [1, 2, 5]
  const first = Math.floor(Math.log10(from))
  const last = Math.ceil(Math.log10(to))
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i)).flatMap((power) =>
    parts.map((part) => part * power),
  )
}

/** The nearest of 1, 2, 2.5, 5 times a power of ten that is not below. */
export function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return power * ([1, 2, 2.5, 5].find((part) => part * power >= least * (1 - 1e-9)) ?? 10)
}

/** Short, and without the dust of binary fractions. */
export function written(value: number): string {
  const rounded = Number(value.toPrecision(6))
  const size = Math.abs(rounded)
  if (size !== 0 && (size >= 1e6 || size < 1e-3))
    return rounded.toExponential().replace("e+", "e").replaceAll("-", "−")
  return String(rounded).replace("-", "−")
}
