import { existsSync } from "node:fs"
import { availableParallelism, freemem } from "node:os"
import { setImmediate } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import { Fault, reason } from "#shared/errors.ts"
import type { Table } from "../head/design.ts"
import type { Trial, TrialResult } from "./held-out.ts"
import type { Learned } from "./learn.ts"
import { answer, type Lesson, outOfMemory, type Question, type Reply } from "./questions.ts"

/** Those who do trials and lessons: threads, or this one. The answers are the same to the last bit. */
export interface Workers {
  heldOut(trial: Trial): Promise<TrialResult>
  learn(lesson: Lesson): Promise<Learned>
  /** Ends the threads at once; whatever is pending is rejected. */
  close(): Promise<void>
}

const file = new URL("./thread.mjs", import.meta.url)
/**
 * Numbers to learn from, over all trials, below which threads do not pay: two of them take about 0.6 s to start (they
 * compile their code), and so do the six trials of 400 × 864 that choose their penalties, in one thread; at 800 × 864
 * they still come out even.
 */
const worthThreads = 6 * 2 ** 20
/** A trial holds its training rows standardised, in float64, and less than as much again for solving. */
const bytesPerNumber = 24

/**
 * Threads for so many trials on a table, or this one alone. The table's `values` should lie in shared memory: they are
 * copied with each trial otherwise.
 */
export function workersFor(table: Table, trials: number): Workers {
  const count = threadsFor(table, trials)
  // A bundle has no file to start a thread from.
  return count > 1 && existsSync(fileURLToPath(file)) ? threads(count) : inThisThread()
}

/** One per core, as many as half of the free memory has room for; 1 where the study is small. */
export function threadsFor(
  { rows, columns }: Omit<Table, "values">,
  trials: number,
  free = freemem(),
): number {
  if (rows * columns * trials < worthThreads) return 1
  const room = Math.floor(free / 2 / (rows * columns * bytesPerNumber))
  return Math.max(1, Math.min(availableParallelism(), trials, room))
}

/** One trial after the other, with a pause between: lets progress and cancellation through. */
export function inThisThread(): Workers {
  let last: Promise<unknown> = Promise.resolve()
  let closed = false
  const ask = <A>(question: Question): Promise<A> => {
    const result = last.then(async () => {
      await setImmediate()
      if (closed) throw ended()
      return answer(question) as A
    })
    last = result.catch(() => {})
    return result
  }
  return workers(ask, async () => {
    closed = true
  })
}

interface Waiting {
  question: Question
  resolve: (answer: never) => void
  reject: (thrown: unknown) => void
}

/** So many threads of a program, started when they are needed. Where one ends by itself, all that is pending is rejected. */
export function threads(count: number, program: URL = file): Workers {
  const queue: Waiting[] = []
  const idle: Worker[] = []
  const busy = new Map<Worker, Waiting>()
  let over: Fault | undefined

  const end = async (fault: Fault) => {
    over ??= fault
    for (const { reject } of [...queue.splice(0), ...busy.values()]) reject(over)
    const all = [...idle, ...busy.keys()]
    busy.clear()
    idle.length = 0
    await Promise.all(all.map((worker) => worker.terminate()))
  }
  const start = (): Worker => {
    const worker = new Worker(program, { execArgv: [] })
    const lost = (why: string, cause?: unknown) => {
      if (!over) void end(outOfMemory(why, cause))
    }
    worker.on("message", (reply: Reply) => {
      const waiting = busy.get(worker)
      busy.delete(worker)
      idle.push(worker)
      if (waiting) settle(waiting, reply)
      next()
    })
    worker.on("messageerror", (cause) => lost(reason(cause), cause))
    worker.on("error", (cause) => lost(reason(cause), cause))
    worker.on("exit", () => lost("it ended"))
    return worker
  }
  const next = () => {
    while (queue.length > 0 && (idle.length > 0 || busy.size < count)) {
      const waiting = queue.shift()!
      const worker = idle.pop() ?? start()
      busy.set(worker, waiting)
      worker.postMessage(waiting.question)
    }
  }
  const ask = <A>(question: Question): Promise<A> =>
    new Promise((resolve, reject) => {
      if (over) return reject(over)
      queue.push({ question, resolve, reject })
      next()
    })
  return workers(ask, () => end(ended()))
}

function settle({ resolve, reject }: Waiting, reply: Reply): void {
  if ("answer" in reply) resolve(reply.answer as never)
  else if ("bug" in reply) reject(new Error(reply.bug))
  else reject(new Fault(reply.fault.kind, reply.fault.code, reply.fault.message))
}

function workers(ask: <A>(question: Question) => Promise<A>, close: () => Promise<void>): Workers {
  return {
    heldOut: (of) => ask<TrialResult>({ ask: "held-out", of }),
    learn: (of) => ask<Learned>({ ask: "learn", of }),
    close,
  }
}

function ended(): Fault {
  return new Fault("unavailable", "threads-ended", "the work was given up: ask for it again")
}
