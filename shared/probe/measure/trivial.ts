import * as z from "zod"
import { kaplanMeier } from "../head/hazard.ts"
import type { Problem } from "../head/problem.ts"
import { valueAt } from "../math/steps.ts"

/** What says the same of everybody: the share of each class, the mean, or no risk and a Kaplan-Meier curve. */
export const Trivial = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("shares"), shares: z.array(z.number()) }),
  z.object({ kind: z.literal("mean"), mean: z.number() }),
  z.object({ kind: z.literal("kaplan-meier"), times: z.array(z.number()), alive: z.array(z.number()) }),
])
export type Trivial = z.infer<typeof Trivial>

/** That of these rows. */
export function trivialOf(problem: Problem): Trivial {
  const { kind, target, outputs } = problem
  if (problem.kind === "cox") {
    const { times, values } = kaplanMeier(target, problem.event)
    return { kind: "kaplan-meier", times: [...times], alive: [...values] }
  }
  if (kind === "ridge") return { kind: "mean", mean: target.reduce((sum, t) => sum + t / target.length, 0) }
  const shares = new Array<number>(Math.max(outputs, 2)).fill(0)
  for (const t of target) shares[t] += 1 / target.length
  return { kind: "shares", shares }
}

/** What it says of each row of a problem, so that ranks tie. [rows, outputs] */
export function saidBy(trivial: Trivial, problem: Problem): Float64Array {
  const { target, outputs: width } = problem
  const constant = new Float64Array(width)
  if (trivial.kind === "mean") constant[0] = trivial.mean
  if (trivial.kind === "shares") constant.set(width === 1 ? trivial.shares.slice(1) : trivial.shares)
  if (trivial.kind === "kaplan-meier" && problem.kind === "cox") {
    const { times, alive } = trivial
    const curve = { times: Float64Array.from(times), values: Float64Array.from(alive), start: 1 }
    for (const [k, time] of problem.grid.entries()) constant[1 + k] = valueAt(curve, time)
  }
  return Float64Array.from({ length: target.length * width }, (_, i) => constant[i % width])
}

/** That of all rows, of these same rows. It has seen what it is judged on, which flatters it a little. */
export function trivial(problem: Problem): Float64Array {
  return saidBy(trivialOf(problem), problem)
}
