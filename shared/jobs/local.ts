import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { Fault } from "#shared/errors.ts"
import { diskStore } from "#shared/store/disk.ts"
import { type Owner, thisProcess } from "#shared/store/owner.ts"
import { checkKey } from "#shared/store/rules.ts"
import { changeLocalJob, isOrphan, type LocalJob, listLocalJobs, readLocalJob } from "./local-job.ts"
import type { JobQueue } from "./queue.ts"
import { startWorker, stopWorker } from "./worker-process.ts"

const mostAttempts = 3

export interface LocalQueuePlace {
  /** Holds `{job}.json`, the state, and `{job}.log`, what its runs printed. Of this machine only. */
  folder: string
  /** Program and arguments of a worker; the job's id comes last. */
  command: string[]
  concurrency?: number
}

export interface LocalQueue extends JobQueue {
  /** Takes over the jobs of processes that died or were closed. Without it a queue runs what it is given. */
  start(): Promise<void>
  /** Stops the workers; what had not ended is queued for the next `start`. */
  close(): Promise<void>
}

/**
 * Runs each job as a child process, in the order of submission. Exit 0 is success, 2 a fault that no repetition
 * would mend; anything else is a crash, and tried three times in all. Several processes may share the folder: a
 * job is run by the one that took it, and may be watched and cancelled by any.
 */
export function localQueue({ folder, command, concurrency = 1 }: LocalQueuePlace): LocalQueue {
  const states = diskStore(folder)
  const waiting: { job: string; submittedAt: number }[] = []
  const running = new Map<string, { done: Promise<void>; worker?: Owner }>()
  let closed = false

  function enqueue(job: string, { submittedAt }: LocalJob): void {
    waiting.push({ job, submittedAt })
    waiting.sort((a, b) => a.submittedAt - b.submittedAt)
    startNext()
  }

  function startNext(): void {
    while (!closed && running.size < concurrency) {
      const next = waiting.shift()
      if (!next) return
      const done = runOnce(next.job).finally(() => {
        running.delete(next.job)
        startNext()
      })
      running.set(next.job, { done })
    }
  }

  async function runOnce(job: string): Promise<void> {
    const begun = await changeSurely(job, (found) =>
      found?.state === "queued" ? { ...found, state: "running", attempts: found.attempts + 1 } : undefined,
    )
    if (!begun.changed) return
    const run = await startWorker(command, job, join(folder, `${job}.log`))
    const ours = running.get(job)
    if (ours) ours.worker = run.worker
    const known = await changeSurely(job, (found) =>
      found?.state === "running" ? { ...found, worker: run.worker } : undefined,
    )
    // cancelled, or closed, before anybody knew the worker
    if (run.worker && (closed || !known.changed)) await stopWorker(run.worker)
    const end = await run.ended
    const after = await changeSurely(job, (found) =>
      found?.state === "running" ? afterRun({ ...found, ended: String(end) }, end, closed) : undefined,
    )
    if (after.now?.state === "queued" && !closed) enqueue(job, after.now)
  }

  /** Goes on trying while the disk is full or away: a job that has ended must not look running for ever. */
  async function changeSurely(job: string, change: (found?: LocalJob) => LocalJob | undefined) {
    for (;;) {
      try {
        return await changeLocalJob(states, job, change)
      } catch (thrown) {
        if (closed || !(thrown instanceof Fault && thrown.kind === "unavailable")) throw thrown
        await sleep(1000)
      }
    }
  }

  /** Makes a job ours when nobody is going to run it; ends what is left of its last run first. */
  async function takeOver(job: string): Promise<void> {
    const owner = await thisProcess()
    const { changed, now } = await changeLocalJob(states, job, async (found) => {
      if (!found || !(await isOrphan(found))) return undefined
      return { ...found, owner, state: found.attempts < mostAttempts ? "queued" : "failed" }
    })
    if (!changed || !now) return
    if (now.worker) await stopWorker(now.worker)
    if (now.state === "queued") enqueue(job, now)
  }

  return {
    async submit(job) {
      checkKey(job)
      const owner = await thisProcess()
      const { changed, now } = await changeLocalJob(states, job, (found) =>
        found ? undefined : { state: "queued", submittedAt: Date.now(), attempts: 0, owner },
      )
      if (changed && now) enqueue(job, now)
      else await takeOver(job)
    },

    async status(job) {
      const found = await readLocalJob(states, job)
      return found && (await isOrphan(found)) ? "queued" : found?.state
    },

    /** Comes back when the worker has ended: after 5 s at the latest, by force. */
    async cancel(job) {
      const { changed, now } = await changeLocalJob(states, job, (found) =>
        found?.state === "queued" || found?.state === "running"
          ? { ...found, state: "cancelled" }
          : undefined,
      )
      if (changed && now?.worker) await stopWorker(now.worker)
    },

    async start() {
      for (const job of await listLocalJobs(states)) await takeOver(job)
    },

    async close() {
      closed = true
      for (const { job } of waiting.splice(0)) {
        await changeLocalJob(states, job, (found) =>
          found?.state === "queued" ? { ...found, owner: undefined } : undefined,
        )
      }
      const runs = [...running.values()]
      await Promise.all(runs.map(({ worker }) => worker && stopWorker(worker)))
      await Promise.all(runs.map(({ done }) => done))
    },
  }
}

/** What becomes of a job when its worker ended so; `closed` when it was the queue that stopped it. */
function afterRun(job: LocalJob, end: number | string, closed: boolean): LocalJob {
  if (end === 0) return { ...job, state: "succeeded" }
  if (end === 2) return { ...job, state: "failed" }
  if (closed) return { ...job, state: "queued", owner: undefined, attempts: job.attempts - 1 }
  return { ...job, state: job.attempts < mostAttempts ? "queued" : "failed" }
}
