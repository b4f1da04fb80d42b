import { kaplanMeier } from "../head/hazard.ts"
import { valueAt } from "../math/steps.ts"
import { logRank, tertiles } from "../measure/log-rank.ts"
import type { Outcomes } from "../measure/survival-metrics.ts"
import { axisOf, ticksOf } from "./axis.ts"
import { captionOf, type SurvivalRecord, withInterval, withUnit } from "./caption.ts"
import { figure } from "./figure.ts"
import type { Mark } from "./marks.ts"
import { palette } from "./palette.ts"
import type { Plotted } from "./plotted.ts"

const thirds = [
  { name: "low", color: palette[2] },
  { name: "middle", color: palette[0] },
  { name: "high", color: palette[1] },
] as const

/** More notches than this make a curve unreadable. */
const mostNotches = 300

/** Kaplan-Meier curves of the thirds of out-of-fold risk, with how many are still at risk. */
export function survivalPlot(record: SurvivalRecord, { study, outOfFold }: Plotted): string {
  if (study.kind !== "cox") throw new Error("survival is drawn of times and events")
  const { target: time, event, outputs: width } = study
  const third = tertiles(time.map((_, row) => outOfFold[row * width]))
  const groups = thirds.flatMap((style, k) => {
    const of = outcomesOf({ time, event }, third, k)
    return of.time.length > 0 ? [{ ...style, ...of }] : []
  })
  const x = { ...axisOf(withUnit(record.time, record.unit), [0, ...time]), from: 0 }
  const notched = time.length - record.events <= mostNotches
  const cIndex = record.metrics.find(({ name }) => name === "c-index")
  return figure({
    ...captionOf(record, `Survival by out-of-fold risk`),
    panels: [
      {
        x,
        y: { label: `share without '${record.event}'`, from: 0, to: 1 },
        marks: groups.flatMap((group) => marksOf(group, notched)),
      },
    ],
    below: {
      title: "at risk",
      rows: groups.map(({ name, color, time }) => ({
        name,
        color,
        cells: ticksOf(x).map(({ at }) => ({ at, words: String(time.filter((t) => t >= at).length) })),
      })),
    },
    remarks: [
      groups.length < 3 ? "too many risks are the same for three groups: no log-rank test" : tested(),
      ...(cIndex ? [`C-index ${withInterval(cIndex)}`] : []),
    ],
    size: { width: 520, height: 340 },
  })

  function tested(): string {
    const test = logRank({ time, event }, third)
    if (!test) return "too few events for a log-rank test"
    const p = test.p < 1e-4 ? "p < 0.0001" : `p = ${test.p.toPrecision(2)}`
    return `log-rank χ² ${test.statistic.toFixed(2)} of 2 degrees of freedom, ${p}: by series; approximate for cross-validated risks`
  }
}

function outcomesOf({ time, event }: Outcomes, third: Uint8Array, k: number): Outcomes {
  return {
    time: time.filter((_, row) => third[row] === k),
    event: event.filter((_, row) => third[row] === k),
  }
}

function marksOf({ name, color, time, event }: Outcomes & (typeof thirds)[number], notched: boolean): Mark[] {
  const curve = kaplanMeier(time, event)
  const died = event.reduce((sum, e) => sum + e, 0)
  const points = [{ x: 0, y: 1 }, ...Array.from(curve.times, (t, i) => ({ x: t, y: curve.values[i] }))]
  const lost = Array.from(
    time.filter((_, row) => event[row] === 0),
    (t) => ({ x: t, y: valueAt(curve, t) }),
  )
  return [
    { kind: "steps", color, points, name: `${name} risk: ${time.length} series, ${died} events` },
    ...(notched ? [{ kind: "notches", color, points: lost } satisfies Mark] : []),
  ]
}
