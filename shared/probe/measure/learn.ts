import type { Head } from "../head/head.ts"
import { fitHeads } from "../head/linear.ts"
import { neighborHead } from "../head/neighbors.ts"
import type { Study } from "../study/rows.ts"
import { chooseCount, defaultCount } from "./count.ts"
import { choosePenalty, defaultPenalty } from "./penalty.ts"

/** How rows are learned from. What is left out is chosen by cross-validation inside the rows. */
export type Method = { kind: "linear"; penalty?: number } | { kind: "neighbors"; count?: number }

/** The one number that a method has to be given: a linear head's penalty, or how many neighbors answer. */
export interface Choice {
  value: number
  by: "caller" | "cross-validation" | "default"
}

export interface Learned {
  head: Head
  choice: Choice
  converged: boolean
}

/** Learns from the given rows alone: neither weights, scaling nor choices know of any other. */
export function learn(study: Study, rows: Uint32Array, method: Method, seed: number): Learned {
  if (method.kind === "neighbors") {
    const choice = choose(method.count, () => chooseCount(study, rows, seed), defaultCount)
    const head = neighborHead(study, rows, choice.value)
    return { head, choice: { ...choice, value: head.count }, converged: true }
  }
  const choice = choose(method.penalty, () => choosePenalty(study, rows, seed), defaultPenalty)
  const [head] = fitHeads(study, rows, [choice.value])
  return { head, choice, converged: head.converged }
}

function choose(given: number | undefined, search: () => number | undefined, otherwise: number): Choice {
  if (given !== undefined) return { value: given, by: "caller" }
  const found = search()
  return found === undefined ? { value: otherwise, by: "default" } : { value: found, by: "cross-validation" }
}
