import { axisOf, roundStep } from "./axis.ts"
import type { Panel } from "./panel.ts"

/** How many series have a number in each of about `bins` ranges that start and end at round numbers. */
export function histogram(label: string, values: Float64Array, bins: number, color: string): Panel {
  const range = axisOf(label, values)
  return histogramOver(range, values, roundStep((range.to - range.from) / bins), color)
}

/** Likewise over a range that is given, which holds all the values. */
export function histogramOver(x: Panel["x"], values: Float64Array, step: number, color: string): Panel {
  const count = Math.max(1, Math.round((x.to - x.from) / step))
  const height = new Float64Array(count)
  for (const value of values) height[Math.min(count - 1, Math.floor((value - x.from) / step + 1e-9))]++
  const bars = Array.from(height, (h, i) => ({
    from: x.from + i * step,
    to: x.from + (i + 1) * step,
    height: h,
  }))
  return {
    x,
    y: axisOf("series", [0, ...height]),
    marks: [{ kind: "bars", color, bars: bars.filter(({ height }) => height > 0) }],
  }
}
