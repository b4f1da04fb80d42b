import { getCohort } from "#shared/cohort/cohort.ts"
import { Fault } from "#shared/errors.ts"
import { SeriesId } from "#shared/ids.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { checkTimes, openProbe, type Prediction, predict, predictPooled } from "#shared/probe/predict.ts"
import { predictCohort } from "#shared/probe/predict-cohort.ts"
import type { ProbeRecord } from "#shared/probe/record.ts"
import { type FitRequest, targetOf } from "#shared/probe/request.ts"
import type { JobPorts } from "../ports.ts"
import { bar, type Output } from "./output.ts"
import { pooledOfPath } from "./query.ts"

export async function fitCommand(request: FitRequest, ports: JobPorts, out: Output): Promise<void> {
  targetOf(request)
  await getCohort(ports.objects, request.cohort)
  const record = await fitProbe(ports.objects, {
    ...request,
    now: ports.now(),
    onProgress: ({ done, total, message }) => out.progress(bar(done, total, message)),
  })
  out.result(record, describe)
}

/** Either of some queries, each answered, or of a whole cohort, whose answers are kept in the store. */
export async function predictCommand(
  name: string,
  { queries, cohort, times }: { queries: string[]; cohort?: string; times?: number[] },
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
  return cohort === undefined
    ? predictEach(name, { queries, times }, ports, out)
    : predictWhole(name, cohort, ports, out)
}

/** A line per query, each a series id of the store or a path that is encoded on the fly; 1 if any has no answer. */
async function predictEach(
  name: string,
  { queries, times }: { queries: string[]; times?: number[] },
  ports: JobPorts,
  out: Output,
): Promise<number> {
  const probe = await openProbe(ports.objects, name)
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
  out.result(predicted, ({ members, missing, probes: [{ answered, columns }] }) =>
    [
      `${answered} of ${members} series predicted${missing > 0 ? `, ${missing} without features` : ""}`,
      `  columns ${columns.join(", ")} from the next publish on: voxkin publish ${cohort}`,
    ].join("\n"),
  )
  return 0
}

function words(answer: Prediction & { query: string }): string {
  if ("error" in answer) return `no answer  ${answer.error.message} [${answer.error.code}]`
  const { prediction, query } = answer
  if ("value" in prediction) return `${prediction.value.toPrecision(4)} ${prediction.unit ?? ""}  ${query}`
  if ("risk" in prediction) {
    const alive = prediction.survival.map(({ time, probability }) => `${probability.toFixed(3)} at ${time}`)
    const unit = prediction.unit ? ` ${prediction.unit}` : ""
    return `risk ${prediction.risk.toPrecision(4)}  (survival ${alive.join(", ")}${unit})  ${query}`
  }
  const likely = Object.entries(prediction.probabilities).sort(([, a], [, b]) => b - a)
  const rows = likely.slice(0, 5).map(([label, p]) => `${label}: ${p.toFixed(3)}`)
  return `${prediction.label}  (${rows.join(", ")}${likely.length > 5 ? ", …" : ""})  ${query}`
}

/** What a probe is and how well it did, for people. */
export function describe(record: ProbeRecord): string {
  const number = (x: number) => x.toPrecision(3)
  const rows = record.metrics.map(({ name, value, low, high }) => {
    const trivial = record.baseline.find((b) => b.name === name)
    const beside = trivial ? `   trivial ${number(trivial.value)}` : ""
    const interval = low === null || high === null ? "[no interval]" : `[${number(low)}, ${number(high)}]`
    return `  ${name.padEnd(16)} ${number(value)}  ${interval}${beside}`
  })
  return [
    `${record.name} ${record.version}: ${record.task} ${learned(record)} on ${record.encoder.id}`,
    `  ${record.training.count} series, cross-validated ${record.training.split}`,
    ...rows,
    ...record.notes.map((note) => `  note: ${note.message}`),
    `  ${record.intendedUse}`,
  ].join("\n")
}

function learned(record: ProbeRecord): string {
  if (record.task !== "survival") return `of ${record.label}`
  const { time, event, events, unit, horizon } = record
  return `by ${time} and ${event} (${events} events, auroc at ${horizon.aurocAt}${unit ? ` ${unit}` : ""})`
}
