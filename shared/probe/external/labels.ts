import type { Member } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"
import type { Goal } from "../head/problem.ts"
import type { ProbeRecord } from "../record.ts"
import { type Target, targetOf } from "../request.ts"
import { finite, labelled } from "../study/labels.ts"
import { observed, timed } from "../study/survival-labels.ts"
import { gridOf } from "../study/survival-times.ts"
import type { EvaluateRequest } from "./evaluation.ts"

/** The labels of another cohort, in the words of the probe. */
export interface ExternalLabels {
  members: Member[]
  /** What is to be told of the members at these places. @throws Fault `invalid` / `bad-label`, `no-events` */
  goal: (places: number[]) => Goal
  /** Labels that are no class of the probe, and how many series have them; their members are left out. */
  unknown: Map<string, number>
}

/** The columns to look in: those asked for, else those that the probe learned from. @throws Fault `bad-target` */
export function columnsFor(record: ProbeRecord, { label, time, event }: EvaluateRequest): Target {
  const { name, cohort } = { name: record.name, cohort: record.training.cohort }
  const own =
    record.task === "survival" ? { time: record.time, event: record.event } : { label: record.label }
  const given = Object.entries({ label, time, event }).filter(([, column]) => column !== undefined)
  const asked = targetOf({ name, cohort, task: record.task, ...own, ...Object.fromEntries(given) })
  return asked.task === "survival" ? asked : { task: taskOfLabel(record), label: asked.label }
}

function taskOfLabel({ task }: ProbeRecord) {
  return task === "regression" ? task : "classification"
}

/** @throws Fault `invalid` / `no-such-column`, `no-known-class`, `bad-label` */
export function externalLabels(members: Member[], target: Target, record: ProbeRecord): ExternalLabels {
  if (target.task === "survival") return survivalLabels(members, target, record)
  const found = labelled(members, target.label)
  if (record.task === "classification") return classLabels(found, target.label, record)
  finite(found, target.label)
  return {
    members: found.map(({ member }) => member),
    goal: (places) => ({ kind: "ridge", target: finite(at(found, places), target.label), outputs: 1 }),
    unknown: new Map(),
  }
}

function classLabels(
  found: ReturnType<typeof labelled>,
  column: string,
  { name, classes }: Extract<ProbeRecord, { task: "classification" }>,
): ExternalLabels {
  const number = new Map(classes.map(({ name }, k) => [name, k]))
  const known = found.filter(({ value }) => number.has(String(value)))
  const unknown = new Map<string, number>()
  for (const { value } of found) {
    const label = String(value)
    if (!number.has(label)) unknown.set(label, (unknown.get(label) ?? 0) + 1)
  }
  if (known.length === 0) {
    const ours = classes.map(({ name }) => `'${name}'`).join(", ")
    const message = `none of ${found.length} labels in column '${column}' is a class of probe ${name}: it knows ${ours}`
    throw new Fault("invalid", "no-known-class", message)
  }
  const outputs = classes.length === 2 ? 1 : classes.length
  return {
    members: known.map(({ member }) => member),
    goal: (places) => ({
      kind: outputs === 1 ? "logistic" : "softmax",
      target: Float64Array.from(at(known, places), ({ value }) => number.get(String(value))!),
      outputs,
    }),
    unknown,
  }
}

function survivalLabels(
  members: Member[],
  { time: times, event: events }: Extract<Target, { task: "survival" }>,
  record: ProbeRecord,
): ExternalLabels {
  const found = timed(members, times, events)
  observed(found, times, events)
  return {
    members: found.map(({ member }) => member),
    goal: (places) => {
      const { time, event } = observed(at(found, places), times, events)
      if (!event.includes(1)) {
        const message = `none of ${time.length} series had the event in column '${events}', so there is nothing to judge by: label some that did`
        throw new Fault("invalid", "no-events", message)
      }
      const known = record.task === "survival" ? record.followUp : 0
      // Past its own follow-up the probe knows no curve.
      const grid = gridOf(time, event).filter((t) => t <= known)
      return { kind: "cox", target: time, event, grid, outputs: 1 + grid.length }
    },
    unknown: new Map(),
  }
}

function at<T>(all: T[], places: number[]): T[] {
  return places.map((i) => all[i])
}
