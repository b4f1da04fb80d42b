import { evaluateOn } from "#shared/probe/external/evaluate.ts"
import type { EvaluateRequest, ExternalEvaluation } from "#shared/probe/external/evaluation.ts"
import type { JobPorts } from "../../ports.ts"
import { bar, type Output } from "../output.ts"

/** Measures a probe on another cohort. */
export async function evalCommand(
  request: EvaluateRequest,
  { objects, now }: JobPorts,
  out: Output,
): Promise<void> {
  const onProgress = ({ done, total, message }: { done: number; total: number; message: string }) =>
    out.progress(bar(done, total, message))
  out.result(await evaluateOn(objects, request, { now: now(), onProgress }), describeEvaluation)
}

/** How well a probe did on another cohort, for people. */
export function describeEvaluation(evaluation: ExternalEvaluation): string {
  const { probe, version, cohort, count, patients, metrics, baseline, notes } = evaluation
  const number = (x: number | null | undefined) => (typeof x === "number" ? x.toPrecision(3) : "undefined")
  const rows = metrics.map(({ name, value, low, high }) => {
    const interval = low === null || high === null ? "[no interval]" : `[${number(low)}, ${number(high)}]`
    const trivial = baseline.find((b) => b.name === name)
    return `  ${name.padEnd(16)} ${number(value)}  ${interval}   trivial, of the training labels ${number(trivial?.value)}`
  })
  return [
    `${probe} ${version} on cohort ${cohort}: ${count} series${patients === null ? "" : ` of ${patients} patients`}`,
    ...rows,
    ...notes.map((note) => `  note: ${note.message}`),
  ].join("\n")
}
