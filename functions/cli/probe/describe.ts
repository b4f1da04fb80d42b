import type { ProbeRecord } from "#shared/probe/record.ts"
import { honest } from "./honest.ts"

/** What a probe is and how well it did, for people. */
export function describe(record: ProbeRecord): string {
  const number = (x: number) => x.toPrecision(3)
  const rows = record.metrics.map(({ name, value, low, high }) => {
    const others = {
      trivial: record.baseline,
      nearest: record.nearest,
      "acquisition alone": record.acquisition,
    }
    const beside = Object.entries(others)
      .flatMap(([what, all]) =>
        all.filter((m) => m.name === name).map((m) => `   ${what} ${number(m.value)}`),
      )
      .join("")
    const interval = low === null || high === null ? "[no interval]" : `[${number(low)}, ${number(high)}]`
    return `  ${name.padEnd(16)} ${number(value)}  ${interval}${beside}`
  })
  return [
    `${record.name} ${record.version}: ${record.task} ${learned(record)} on ${record.encoder.id}`,
    `  ${record.training.count} series, cross-validated ${record.training.split}${byNeighbors(record)}`,
    ...rows,
    ...honest(record).map((line) => `  ${line}`),
    ...record.notes.map((note) => `  note: ${note.message}`),
    `  ${record.intendedUse}`,
  ].join("\n")
}

function learned(record: ProbeRecord): string {
  if (record.task !== "survival") return `of ${record.label}`
  const { time, event, events, unit, horizon } = record
  return `by ${time} and ${event} (${events} events, auroc at ${horizon.aurocAt}${unit ? ` ${unit}` : ""})`
}

function byNeighbors({ head, choice }: ProbeRecord): string {
  return head.kind === "knn" ? `; the nearest ${choice.value} answer` : ""
}
