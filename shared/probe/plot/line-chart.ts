import { type Axis, axisOf } from "./axis.ts"
import { figure } from "./figure.ts"
import type { Mark } from "./marks.ts"
import type { Caption } from "./page.ts"
import { palette } from "./palette.ts"

/** A value at each of some places, with an interval where one is known. */
export interface Series {
  name: string
  points: { x: number; y: number; low?: number | null; high?: number | null }[]
  color?: string
  dashed?: boolean
}

export interface LineChart extends Caption {
  x: Axis
  /** Its range is made to hold every value and interval if only the words are given. */
  y: Axis | string
  series: Series[]
  remarks?: string[]
}

/** Lines through dots, with a band where there are intervals: a metric against the number of labels, say. */
export function lineChart({ x, y, series, ...caption }: LineChart): string {
  const values = series.flatMap(({ points }) => points.flatMap((p) => [p.y, p.low ?? p.y, p.high ?? p.y]))
  const marks = series.flatMap(({ name, points, color, dashed }, i): Mark[] => {
    const paint = color ?? palette[i % palette.length]
    const known = points.flatMap(({ x, low, high }) =>
      typeof low === "number" && typeof high === "number" ? [{ x, low, high }] : [],
    )
    return [
      { kind: "band", color: paint, points: known },
      { kind: "line", color: paint, name, dashed, points },
      { kind: "dots", color: paint, points, radius: 3.5 },
    ]
  })
  return figure({ ...caption, panels: [{ x, y: typeof y === "string" ? axisOf(y, values) : y, marks }] })
}
