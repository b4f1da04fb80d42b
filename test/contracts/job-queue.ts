import { describe, expect, test } from "vitest"
import { newJobId } from "#shared/ids.ts"
import type { JobQueue, QueueState } from "#shared/jobs/queue.ts"

/** How the jobs of a queue end: in success, by a fault, by crashing each time, or not before they are cancelled. */
export type Ending = "succeed" | "fail" | "crash" | "last"

export interface OpenQueue {
  queue: JobQueue
  /** How often the job was begun. */
  runs(job: string): Promise<number>
}

export interface JobQueueFacts {
  /** Whether jobs are run at all: moto's Batch lets every job succeed at once, without a container. */
  runsJobs: boolean
}

/** What every JobQueue promises. `open` gives a queue whose jobs all end as it is told. */
export function jobQueueContract(
  name: string,
  open: (ending: Ending) => Promise<OpenQueue>,
  { runsJobs }: JobQueueFacts,
): void {
  describe(`${name} keeps the promises of a JobQueue`, () => {
    test("runs a job to its end", async () => {
      const { queue, runs } = await open("succeed")
      const job = newJobId()
      await queue.submit(job)
      expect(await stateAfter(queue, job)).toBe("succeeded")
      expect(await runs(job)).toBe(1)
    })

    test("the same id twice is one job, even after its end", async () => {
      const { queue, runs } = await open("succeed")
      const job = newJobId()
      await queue.submit(job)
      await queue.submit(job)
      await stateAfter(queue, job)
      await queue.submit(job)
      const next = newJobId()
      await queue.submit(next)
      expect(await stateAfter(queue, next)).toBe("succeeded")
      expect(await runs(job)).toBe(1)
    })

    test("does not know what it never saw, and cancels it without complaint", async () => {
      const { queue } = await open("succeed")
      const job = newJobId()
      expect(await queue.status(job)).toBeUndefined()
      await queue.cancel(job)
      expect(await queue.status(job)).toBeUndefined()
    })

    test("cancelling what has ended changes nothing", async () => {
      const { queue } = await open("succeed")
      const job = newJobId()
      await queue.submit(job)
      await stateAfter(queue, job)
      await queue.cancel(job)
      expect(await queue.status(job)).toBe("succeeded")
    })

    describe.skipIf(!runsJobs)("where jobs are run", () => {
      test("a fault ends a job at once", async () => {
        const { queue, runs } = await open("fail")
        const job = newJobId()
        await queue.submit(job)
        expect(await stateAfter(queue, job)).toBe("failed")
        expect(await runs(job)).toBe(1)
      })

      test("a crash is tried three times in all", async () => {
        const { queue, runs } = await open("crash")
        const job = newJobId()
        await queue.submit(job)
        expect(await stateAfter(queue, job)).toBe("failed")
        expect(await runs(job)).toBe(3)
      })

      test("a running job is cancelled, and one that waits is never begun", async () => {
        const { queue, runs } = await open("last")
        const [first, second] = [newJobId(), newJobId()]
        await queue.submit(first)
        await queue.submit(second)
        await until(async () => (await runs(first)) === 1)
        expect(await queue.status(first)).toBe("running")
        expect(await queue.status(second)).toBe("queued")
        await queue.cancel(second)
        await queue.cancel(first)
        expect(await stateAfter(queue, first)).toBe("cancelled")
        expect(await stateAfter(queue, second)).toBe("cancelled")
        expect(await runs(first)).toBe(1)
        expect(await runs(second)).toBe(0)
      })
    })
  })
}

/** The state in which a job ended, waited for 20 s at most. */
export async function stateAfter(queue: JobQueue, job: string): Promise<QueueState | undefined> {
  let state: QueueState | undefined
  await until(async () => {
    state = await queue.status(job)
    return state !== "queued" && state !== "running"
  })
  return state
}

export async function until(happened: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 20_000; !(await happened()); ) {
    if (Date.now() > deadline) throw new Error(`waited 20 s in vain: ${happened}`)
    await new Promise((wait) => setTimeout(wait, 20))
  }
}
