import { learningCurve } from "#shared/probe/curve/learning-curve.ts"
import type { CurveRequest, LearningCurve } from "#shared/probe/curve/record.ts"
import { mainOf } from "#shared/probe/measure/score.ts"
import type { JobPorts } from "../../ports.ts"
import { bar, type Output } from "../output.ts"

export async function learningCurveCommand(
  request: CurveRequest,
  { objects, now }: JobPorts,
  out: Output,
): Promise<void> {
  const curve = await learningCurve(objects, {
    ...request,
    now: now(),
    onProgress: ({ done, total, message }) => out.progress(bar(done, total, message)),
  })
  out.result(curve, table)
}

/** One line per size: the main metric with its spread over draws, and the means of the others. */
function table(curve: LearningCurve): string {
  const { name, version, cohort, split, folds, tested, points, baseline, nearest, notes } = curve
  const number = (x: number) => x.toPrecision(3)
  const main = mainOf(baseline).name
  const others = baseline.map((metric) => metric.name).filter((metric) => metric !== main)
  const columns = others.map((metric) => metric.padStart(Math.max(9, metric.length)))
  const head = `  patients  series  ${main.padEnd(27)}${columns.map((c) => `  ${c}`).join("")}`
  const rows = points.map(({ patients, series, draws, metrics }) => {
    const of = (metric: string) => metrics.find((m) => m.name === metric)!
    const { mean, least, greatest } = of(main)
    const spread = draws > 1 ? `  [${number(least)}, ${number(greatest)}] of ${draws}` : ""
    const rest = others.map((metric, i) => `  ${number(of(metric).mean).padStart(columns[i].length)}`)
    return `  ${String(patients).padStart(8)}  ${String(Math.round(series)).padStart(6)}  ${(number(mean) + spread).padEnd(27)}${rest.join("")}`
  })
  const references = Object.entries({ trivial: baseline, nearest }).map(([words, all]) => {
    const of = (metric: string) => number(all.find((m) => m.name === metric)!.value)
    const rest = others.map((metric, i) => `  ${of(metric).padStart(columns[i].length)}`)
    return `  ${words.padStart(8)}          ${of(main).padEnd(27)}${rest.join("")}`
  })
  return [
    `${name} ${version}: by the number of patients to learn from, on ${cohort}`,
    `  tested ${split} on ${tested}, in ${folds} folds; means over draws, [least, greatest]`,
    head,
    ...rows,
    ...references,
    ...notes.map((note) => `  note: ${note.message}`),
  ].join("\n")
}
