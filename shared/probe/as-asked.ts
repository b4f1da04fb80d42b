import type { Method } from "./measure/learn.ts"
import type { ProbeRecord } from "./record.ts"
import type { Target } from "./request.ts"

/** The columns that a probe learned. */
export function targetOf(probe: ProbeRecord): Target {
  if (probe.task === "survival") return { task: probe.task, time: probe.time, event: probe.event }
  return { task: probe.task, label: probe.label }
}

/** What was given by the caller stays; what was chosen is chosen again, for what is learned now. */
export function methodOf({ head, choice }: ProbeRecord): Method {
  const given = choice.by === "caller" ? choice.value : undefined
  return head.kind === "knn" ? { kind: "neighbors", count: given } : { kind: "linear", penalty: given }
}
