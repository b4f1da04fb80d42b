import * as z from "zod"
import { readList } from "#shared/cohort/bounded.ts"
import { Fault } from "#shared/errors.ts"
import { getJson, putJson } from "#shared/store/json.ts"
import { isAlive } from "#shared/store/owner.ts"
import type { ObjectStore } from "#shared/store/store.ts"

const ProcessOwner = z.object({ host: z.string(), pid: z.number(), start: z.string() })

/** What the local queue knows of one job, in `{id}.json`; the truth for every process that looks. */
export const LocalJob = z.object({
  state: z.enum(["queued", "running", "succeeded", "failed", "cancelled"]),
  /** Milliseconds since 1970: jobs run in this order. */
  submittedAt: z.number(),
  /** Runs begun so far. A run that the queue itself stopped on closing does not count. */
  attempts: z.number(),
  /** The process whose queue is to run it; none after that queue was closed. */
  owner: ProcessOwner.optional(),
  /** The process that runs it, or ran it last. */
  worker: ProcessOwner.optional(),
  /** How the last run ended: an exit code, a signal, or why it could not start. */
  ended: z.string().optional(),
})
export type LocalJob = z.infer<typeof LocalJob>

const keyOf = (job: string) => `${job}.json`

export async function readLocalJob(states: ObjectStore, job: string): Promise<LocalJob | undefined> {
  return (await getJson(states, keyOf(job), LocalJob))?.value
}

/** Every job of the folder, the first submitted first; one whose state is damaged must not keep the others from it. */
export async function listLocalJobs(states: ObjectStore): Promise<string[]> {
  const names = (await states.list("")).filter((name) => name.endsWith(".json"))
  const jobs = names.map((name) => name.slice(0, -".json".length))
  const read = async (job: string) => {
    const state = await readLocalJob(states, job)
    return state && { job, submittedAt: state.submittedAt }
  }
  const found = await readList(jobs, read, () => {})
  return found.sort((a, b) => a.submittedAt - b.submittedAt).map(({ job }) => job)
}

/**
 * Changes a job's state, safe between processes: `change` sees the newest and is asked again if another was
 * faster. When it gives undefined nothing is written and `changed` is false.
 */
export async function changeLocalJob(
  states: ObjectStore,
  job: string,
  change: (found: LocalJob | undefined) => LocalJob | undefined | Promise<LocalJob | undefined>,
): Promise<{ changed: boolean; now: LocalJob | undefined }> {
  for (;;) {
    const found = await getJson(states, keyOf(job), LocalJob)
    const next = await change(found?.value)
    if (!next) return { changed: false, now: found?.value }
    try {
      await putJson(states, keyOf(job), next, found ? { ifMatch: found.etag } : { ifAbsent: true })
      return { changed: true, now: next }
    } catch (thrown) {
      if (!(thrown instanceof Fault && thrown.code === "precondition-failed")) throw thrown
    }
  }
}

/**
 * Whether no queue is going to run, or go on running, this job. An owner on another machine counts as gone: a
 * queue's folder belongs to one machine, and laptops and containers change their names.
 */
export async function isOrphan({ state, owner }: LocalJob): Promise<boolean> {
  if (state !== "queued" && state !== "running") return false
  return !owner || (await isAlive(owner)) !== true
}
