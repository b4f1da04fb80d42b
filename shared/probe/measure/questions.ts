import { Fault, type FaultKind } from "#shared/errors.ts"
import type { Study } from "../study/rows.ts"
import { heldOut, type Trial, type TrialResult } from "./held-out.ts"
import { type Learned, learn, type Method } from "./learn.ts"

/** Learn from some rows, and be judged on none. */
export interface Lesson {
  study: Study
  rows: Uint32Array
  method: Method
  seed: number
}

/** What a thread is asked, and answers with plain data: a fault's own class would be lost on the way. */
export type Question = { ask: "held-out"; of: Trial } | { ask: "learn"; of: Lesson }
export type Reply =
  | { answer: TrialResult | Learned }
  | { fault: { kind: FaultKind; code: string; message: string } }
  | { bug: string }

export function answer(question: Question): TrialResult | Learned {
  if (question.ask === "held-out") return heldOut(question.of)
  const { study, rows, method, seed } = question.of
  return learn(study, rows, method, seed)
}

/** `answer`, with what it throws as a reply too. */
export function reply(question: Question): Reply {
  try {
    return { answer: answer(question) }
  } catch (thrown) {
    if (thrown instanceof Fault) {
      const { kind, code, message } = thrown
      return { fault: { kind, code, message } }
    }
    // Of ours only arrays that do not fit into memory throw it.
    if (thrown instanceof RangeError) {
      const { kind, code, message } = outOfMemory(thrown.message)
      return { fault: { kind, code, message } }
    }
    return { bug: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) }
  }
}

export function outOfMemory(why: string, cause?: unknown): Fault {
  const message = `learning in a thread failed (${why}): free memory, or label fewer series, and try again`
  return new Fault("unavailable", "thread-failed", message, { cause })
}
