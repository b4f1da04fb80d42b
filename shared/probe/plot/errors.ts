import { axisOf, written } from "./axis.ts"
import { captionOf, type RegressionRecord, withInterval, withUnit } from "./caption.ts"
import { figure } from "./figure.ts"
import { histogram } from "./histogram.ts"
import type { Mark, Point } from "./marks.ts"
import { grey, palette } from "./palette.ts"
import type { Plotted } from "./plotted.ts"

/** More dots than this only make a file large. */
const mostDots = 2000

/** Out-of-fold errors as a histogram, and each predicted value over the true one. */
export function errorsPlot(record: RegressionRecord, { study, outOfFold }: Plotted): string {
  const { target } = study
  const { label, unit, interval, metrics } = record
  const errors = outOfFold.map((value, row) => value - target[row])
  const bins = Math.min(30, Math.max(8, Math.round(Math.sqrt(errors.length))))
  const left = histogram(withUnit("predicted − true", unit), errors, bins, palette[5])
  const none: Mark = {
    kind: "line",
    color: grey,
    dashed: true,
    points: [
      { x: 0, y: left.y.from },
      { x: 0, y: left.y.to },
    ],
  }
  const { from, to } = axisOf("", [...target, ...outOfFold])
  const line = (by: number): Point[] => [
    { x: from, y: from + by },
    { x: to, y: to + by },
  ]
  const every = Math.ceil(target.length / mostDots)
  const dots = [...target.keys()]
    .filter((row) => row % every === 0)
    .map((row) => ({ x: target[row], y: outOfFold[row] }))
  const { half } = interval
  const around: Mark[] =
    half === null
      ? []
      : [
          {
            kind: "band",
            color: palette[1],
            name: `90 % prediction interval: value ± ${digits(half)}${unit === null ? "" : ` ${unit}`}`,
            points: [from, to].map((x) => ({ x, low: x - half, high: x + half })),
          },
        ]
  const right = {
    x: { label: withUnit(`true ${label}`, unit), from, to },
    y: { label: withUnit(`predicted ${label}`, unit), from, to },
    marks: [
      ...around,
      { kind: "line", color: grey, dashed: true, points: line(0), name: "no error" } satisfies Mark,
      { kind: "dots", color: palette[0], radius: 3, faint: true, points: dots } satisfies Mark,
    ],
  }
  const shown = ["mae", "rmse", "r2", "coverage-90"].flatMap((name) => {
    const metric = metrics.find((one) => one.name === name)
    if (!metric) return []
    return [
      `${name} ${name === "mae" || name === "rmse" ? withInterval(metric, digits) : withInterval(metric)}`,
    ]
  })
  return figure({
    ...captionOf(record, `Errors of '${label}'`),
    panels: [{ ...left, marks: [...left.marks, none] }, right],
    remarks: [shown.join(", "), ...(every > 1 ? [`every ${every}th series has a dot`] : [])],
  })
}

/** Three digits will do, in whatever unit. */
function digits(value: number): string {
  return written(Number(value.toPrecision(3)))
}
