import { Fault } from "#shared/errors.ts"
import { SeriesId } from "#shared/ids.ts"
import { findPanel } from "#shared/probe/panel/panel.ts"
import {
  type Answer,
  checkTimes,
  openProbe,
  type Prediction,
  predict,
  predictPooled,
} from "#shared/probe/predict.ts"
import { predictCohort } from "#shared/probe/predict-cohort.ts"
import type { JobPorts } from "../../ports.ts"
import { bar, type Output } from "../output.ts"
import { pooledOfPath } from "../query.ts"
import { predictByPanel } from "./panel.ts"

interface Asked {
  queries: string[]
  version?: string
  times?: number[]
}

/** Either of some queries, each answered, or of a whole cohort, whose answers are kept in the store. */
export async function predictCommand(
  name: string,
  { queries, cohort, version, times }: Asked & { cohort?: string },
  ports: JobPorts,
  out: Output,
): Promise<number> {
  if ((cohort === undefined) === (queries.length === 0)) {
    throw new Fault("invalid", "bad-arguments", "give either series and paths, or --cohort")
  }
  if (cohort !== undefined && times) {
    throw new Fault(
      "invalid",
      "bad-arguments",
      "of a whole cohort the risk is kept, and no times: leave out --times",
    )
  }
  if (cohort !== undefined && version !== undefined) {
    throw new Fault(
      "invalid",
      "bad-arguments",
      "of a whole cohort the current version's answers are kept: leave out --version, or promote it first",
    )
  }
  const panel = await findPanel(ports.objects, name)
  if (panel && (version !== undefined || times)) {
    const message = `${name} is a panel, whose probes answer by their current versions: leave out --version and --times`
    throw new Fault("invalid", "bad-arguments", message)
  }
  if (panel && cohort === undefined) return predictByPanel(panel, queries, ports, out)
  return cohort === undefined
    ? predictEach(name, { queries, version, times }, ports, out)
    : predictWhole(name, cohort, ports, out)
}

/** A line per query, each a series id of the store or a path that is encoded on the fly; 1 if any has no answer. */
async function predictEach(
  name: string,
  { queries, version: asked, times }: Asked,
  ports: JobPorts,
  out: Output,
): Promise<number> {
  const probe = await openProbe(ports.objects, name, asked)
  if (times) checkTimes(probe, times)
  const { version, encoder } = probe.record
  let without = 0
  for (const query of queries) {
    const prediction = SeriesId.safeParse(query).success
      ? (await predict(ports.objects, probe, [query], times))[0]
      : predictPooled(probe, await pooledOfPath(query, encoder.id, ports, out), times)
    if ("error" in prediction) without++
    out.result({ query, probe: name, version, encoder: encoder.id, ...prediction }, words)
  }
  return without > 0 ? 1 : 0
}

async function predictWhole(
  name: string,
  cohort: string,
  { objects, now }: JobPorts,
  out: Output,
): Promise<number> {
  const onProgress = ({ done, total, message }: { done: number; total: number; message: string }) =>
    out.progress(bar(done, total, message))
  const predicted = await predictCohort(objects, { cohort, probes: [name] }, { now: now(), onProgress })
  out.result(predicted, ({ members, missing, probes }) =>
    [
      `${Math.max(...probes.map(({ answered }) => answered))} of ${members} series predicted${missing > 0 ? `, ${missing} without features` : ""}`,
      `  columns ${probes.flatMap(({ columns }) => columns).join(", ")} from the next publish on: voxkin publish ${cohort}`,
    ].join("\n"),
  )
  return 0
}

function words(answer: Prediction & { query: string }): string {
  if ("error" in answer) return `no answer  ${answer.error.message} [${answer.error.code}]`
  const { prediction, query } = answer
  return [said(prediction, query), ...evidence(prediction)].join("\n")
}

/** Of a knn probe its nearest neighbors, each with its share in the answer. */
function evidence({ neighbors = [] }: Answer): string[] {
  const rows = neighbors.slice(0, 5).map(({ series, distance, weight, label, value, time, event }) => {
    const known =
      time === undefined ? (label ?? value?.toPrecision(4)) : `${event ? "event" : "no event"} by ${time}`
    return `  ${weight.toFixed(3)} of ${series} at ${distance.toPrecision(3)}: ${known}`
  })
  return neighbors.length > 5 ? [...rows, `  and ${neighbors.length - 5} more`] : rows
}

function said(prediction: Answer, query: string): string {
  if ("value" in prediction) {
    const { value, low, high, unit } = prediction
    const interval = low === null || high === null ? "" : ` [${low.toPrecision(4)}, ${high.toPrecision(4)}]`
    return `${value.toPrecision(4)}${interval} ${unit ?? ""}  ${query}`
  }
  if ("risk" in prediction) {
    const alive = prediction.survival.map(({ time, probability }) => `${probability.toFixed(3)} at ${time}`)
    const unit = prediction.unit ? ` ${prediction.unit}` : ""
    return `risk ${prediction.risk.toPrecision(4)}  (survival ${alive.join(", ")}${unit})  ${query}`
  }
  const likely = Object.entries(prediction.probabilities).sort(([, a], [, b]) => b - a)
  const rows = likely.slice(0, 5).map(([label, p]) => `${label}: ${p.toFixed(3)}`)
  return `${prediction.label}  (${rows.join(", ")}${likely.length > 5 ? ", …" : ""})  ${query}`
}
