import * as z from "zod"
import { type OnDamaged, readList } from "#shared/cohort/bounded.ts"
import { Fault, type FaultKind } from "#shared/errors.ts"
import { CohortName, JobId, newJobId } from "#shared/ids.ts"
import { getJson, putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { Job } from "./job.ts"
import type { JobQueue, QueueState } from "./queue.ts"
import { deleteUpload, keepUpload, type Pieces } from "./upload.ts"

const faultKinds = {
  invalid: "invalid",
  unauthorized: "unauthorized",
  forbidden: "forbidden",
  missing: "missing",
  conflict: "conflict",
  too_large: "too_large",
  unavailable: "unavailable",
} satisfies { [K in FaultKind]: K }

const JobFault = z.object({ kind: z.enum(faultKinds), code: z.string(), message: z.string() })

export const JobRecord = z.object({ id: JobId, job: Job, createdAt: z.iso.datetime() })
export type JobRecord = z.infer<typeof JobRecord>

/** Written now and then by the worker. `done` of `total` are steps of the job's own choosing. */
export const JobProgress = z.object({
  done: z.number(),
  total: z.number(),
  message: z.string(),
  at: z.iso.datetime(),
})
export type JobProgress = z.infer<typeof JobProgress>

export const JobResult = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), result: z.json(), finishedAt: z.iso.datetime() }),
  z.object({ ok: z.literal(false), fault: JobFault, finishedAt: z.iso.datetime() }),
])
export type JobResult =
  | { ok: true; result: unknown; finishedAt: string }
  | { ok: false; fault: z.infer<typeof JobFault>; finishedAt: string }

export const JobDescription = z.object({
  job: JobId,
  kind: z.enum(["embed", "publish", "fit", "panel", "predict", "evaluate", "learning-curve"]),
  cohort: CohortName.optional(),
  state: z.enum(["queued", "running", "succeeded", "failed", "cancelled"]),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().optional(),
  progress: JobProgress.optional(),
  /** What a job that succeeded made. */
  result: z.json().optional(),
  /** Why a job failed. */
  fault: JobFault.optional(),
})
export type JobDescription = z.infer<typeof JobDescription>

/** How long a queue may not yet know a job that was just made. */
const settleMs = 60_000
/** Newest jobs that a list shows. */
const mostListed = 100

const cancelled = { kind: "conflict", code: "cancelled", message: "the job was cancelled" } as const

/**
 * Writes down what is to be done, with the upload it is to be done to, and gives it to the queue. When the upload
 * breaks off or the queue refuses it, nothing stays behind.
 * @throws Fault `invalid` / `empty-body`
 */
export async function createJob(
  objects: ObjectStore,
  queue: JobQueue,
  job: Job,
  now: Date,
  upload?: Pieces,
): Promise<string> {
  const id = newJobId(now)
  const record: JobRecord = { id, job, createdAt: now.toISOString() }
  try {
    if (upload && (await keepUpload(objects, id, upload)) === 0) {
      const message = "the body is empty: send a NIfTI file or a zip of DICOM files"
      throw new Fault("invalid", "empty-body", message)
    }
    await putJson(objects, keys.job(id), record, { ifAbsent: true })
    await queue.submit(id)
  } catch (thrown) {
    await objects.delete(keys.job(id))
    await deleteUpload(objects, id)
    throw thrown
  }
  return id
}

/** @throws Fault `missing` / `no-such-job` */
export async function readJob(objects: ObjectStore, id: string): Promise<JobRecord> {
  const found = await getJson(objects, keys.job(id), JobRecord)
  if (!found)
    throw new Fault("missing", "no-such-job", `there is no job ${id}: list the jobs to see which there are`)
  return found.value
}

/** A caller that has much to say should say it a few times a second at most: each is a write to the store. */
export async function writeProgress(objects: ObjectStore, id: string, progress: JobProgress): Promise<void> {
  await putJson(objects, keys.jobProgress(id), progress)
}

/** The first result stays: a worker that does a finished job again cannot change what came of it. */
export async function writeResult(objects: ObjectStore, id: string, result: JobResult): Promise<void> {
  try {
    await putJson(objects, keys.jobResult(id), result, { ifAbsent: true })
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.code === "precondition-failed")) throw thrown
  }
}

/**
 * Where a job stands. A result in the store outweighs what the queue says, because a queue forgets.
 * @throws Fault `missing` / `no-such-job`
 */
export async function describeJob(
  objects: ObjectStore,
  queue: JobQueue,
  id: string,
): Promise<JobDescription> {
  const { job, createdAt } = await readJob(objects, id)
  // The queue first: asked after the store, it could tell of an end whose result was not yet there to be read.
  const queueState = (await hasResult(objects, id)) ? undefined : await queue.status(id)
  const result = (await getJson(objects, keys.jobResult(id), JobResult))?.value
  const progress = (await getJson(objects, keys.jobProgress(id), JobProgress))?.value
  const about = {
    job: id,
    kind: job.kind,
    cohort: "cohort" in job ? job.cohort : undefined,
    createdAt,
    progress,
  }

  if (result?.ok)
    return { ...about, state: "succeeded", finishedAt: result.finishedAt, result: result.result }
  if (result) {
    const state = result.fault.code === cancelled.code ? "cancelled" : "failed"
    return { ...about, state, finishedAt: result.finishedAt, fault: result.fault }
  }
  return { ...about, ...withoutResult(id, queueState, Date.now() - Date.parse(createdAt)) }
}

function hasResult(objects: ObjectStore, id: string): Promise<boolean> {
  return objects.has(keys.jobResult(id))
}

/** What to say of a job that left no result, `age` ms after it was made. */
function withoutResult(
  id: string,
  state: QueueState | undefined,
  age: number,
): Pick<JobDescription, "state" | "fault"> {
  if (state === "queued" || state === "running") return { state }
  if (state === "cancelled") return { state, fault: cancelled }
  if (state === undefined && age < settleMs) return { state: "queued" }
  const [code, message] =
    state === undefined
      ? ["lost", `job ${id} was forgotten by the queue and left no result: make it again`]
      : ["worker-crashed", `the worker of job ${id} ended without a result: read its log, then make it again`]
  return { state: "failed", fault: { kind: "unavailable", code, message } }
}

/** The newest hundred jobs, newest first. */
export async function listJobs(
  objects: ObjectStore,
  queue: JobQueue,
  onDamaged?: OnDamaged,
): Promise<JobDescription[]> {
  const found = await objects.list(keys.jobs)
  const ids = found.flatMap((key) => /^jobs\/([^/]+)\/job\.json$/.exec(key)?.[1] ?? [])
  const newest = ids.sort().reverse().slice(0, mostListed)
  return readList(newest, (id) => describeJob(objects, queue, id), onDamaged)
}

/**
 * Ends a job for good; one that has ended stays as it is. Its upload is deleted.
 * @throws Fault `missing` / `no-such-job`
 */
export async function cancelJob(objects: ObjectStore, queue: JobQueue, id: string, now: Date): Promise<void> {
  await readJob(objects, id)
  if (await hasResult(objects, id)) return
  await queue.cancel(id)
  await writeResult(objects, id, { ok: false, fault: cancelled, finishedAt: now.toISOString() })
  await deleteUpload(objects, id)
}
