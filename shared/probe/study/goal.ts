import type { Member } from "#shared/cohort/members.ts"
import type { Goal } from "../head/problem.ts"
import type { Target } from "../request.ts"
import { classes, labelled, numbers } from "./labels.ts"
import { outcomes, timed } from "./survival-labels.ts"
import { gridOf } from "./survival-times.ts"

/** What is to be learned of some labelled series. */
export interface Learned {
  goal: Goal
  stratum: Uint32Array
  /** Of classification, in the order of the target's numbers. */
  classes: string[]
}

/** The members that have what the target names, and what is to be learned of any of them. */
export interface Labels {
  members: Member[]
  /** Of the members at these places. @throws Fault for values that cannot be learned */
  learned: (places: number[]) => Learned
}

/** Numbers are spread over the folds by fifths of their range in order. */
const fifths = 5

/** @throws Fault `invalid` / `no-such-column` */
export function labelsOf(members: Member[], target: Target): Labels {
  if (target.task === "survival") {
    const found = timed(members, target.time, target.event)
    return {
      members: found.map(({ member }) => member),
      learned: (places) => {
        const { time, event } = outcomes(at(found, places), target.time, target.event)
        const grid = gridOf(time, event)
        const goal = { kind: "cox", target: time, event, grid, outputs: 1 + grid.length } as const
        return { goal, stratum: Uint32Array.from(event), classes: [] }
      },
    }
  }
  const { task, label } = target
  const found = labelled(members, label)
  return {
    members: found.map(({ member }) => member),
    learned: (places) => (task === "regression" ? ofNumbers : ofClasses)(at(found, places), label),
  }
}

function ofNumbers(...labels: Parameters<typeof numbers>): Learned {
  const target = numbers(...labels)
  return { goal: { kind: "ridge", target, outputs: 1 }, stratum: fifthOf(target), classes: [] }
}

function ofClasses(...labels: Parameters<typeof classes>): Learned {
  const { target, names } = classes(...labels)
  const two = names.length === 2
  return {
    goal: { kind: two ? "logistic" : "softmax", target, outputs: two ? 1 : names.length },
    stratum: Uint32Array.from(target),
    classes: names,
  }
}

function at<T>(all: T[], places: number[]): T[] {
  return places.map((i) => all[i])
}

/** Which fifth of the values, in order, each belongs to. */
function fifthOf(target: Float64Array): Uint32Array {
  const fifth = new Uint32Array(target.length)
  const order = [...target.keys()].sort((a, b) => target[a] - target[b])
  for (const [rank, row] of order.entries()) fifth[row] = Math.floor((rank * fifths) / target.length)
  return fifth
}
