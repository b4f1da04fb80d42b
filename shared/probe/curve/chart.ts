import { mainOf } from "../measure/score.ts"
import { axisOf } from "../plot/axis.ts"
import { subtitleOf } from "../plot/figure.ts"
import { lineChart } from "../plot/line-chart.ts"
import { grey, palette } from "../plot/palette.ts"
import type { LearningCurve } from "./record.ts"

/** The main metric against the number of patients to learn from, as SVG. */
export function curveChart(curve: LearningCurve): string {
  const { points, baseline, nearest, split, folds } = curve
  const who = split === "by patient" ? "patients" : "series"
  const { name } = mainOf(baseline)
  const at = points.map(({ patients, draws, metrics }) => {
    const { mean, least, greatest } = metrics.find((metric) => metric.name === name)!
    // All are one draw, which has no spread.
    return { x: patients, y: mean, low: draws > 1 ? least : null, high: draws > 1 ? greatest : null }
  })
  const [from, to] = [at[0].x, at[at.length - 1].x]
  const besides = {
    "trivial: the same for everybody": baseline,
    "nearest: the label of the nearest neighbor, of all": nearest,
  }
  const references = Object.entries(besides).flatMap(([words, metrics], i) =>
    metrics
      .filter((metric) => metric.name === name)
      .map(({ value }) => ({
        name: words,
        color: [grey, palette[1]][i],
        dashed: true,
        points: [from, to].map((x) => ({ x, y: value })),
      })),
  )
  const known = at.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y])
  // Room on both sides of the other lines, that they may be seen.
  const others = references.flatMap(({ points: [{ y }] }) => [y - 0.01, y + 0.01])
  const draws = points[0].draws
  return lineChart({
    title: `${name} by number of ${who} to learn from`,
    subtitle: subtitleOf(curve, curve.tested, who),
    x: {
      label: `${who} to learn from`,
      from: from < to ? from : from / 2,
      to,
      log: true,
      // Numbers that stand too close would lie over each other.
      ticks: at.map(({ x }) => x).filter((x) => x === to || x < to / 1.25),
    },
    y: axisOf(name, [...known, ...others]),
    series: [
      {
        name: draws > 1 ? `mean of ${draws} draws, and from the least to the greatest` : "one draw",
        color: palette[0],
        points: at,
      },
      ...references,
    ],
    remarks: [`tested out of fold on all, in ${folds} folds`],
  })
}
