import { mkdtempSync } from "node:fs"
import { readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { Fault } from "#shared/errors.ts"
import { JobId, newJobId } from "#shared/ids.ts"
import type { Job } from "#shared/jobs/job.ts"
import { type LocalQueue, localQueue } from "#shared/jobs/local.ts"
import type { JobQueue } from "#shared/jobs/queue.ts"
import {
  cancelJob,
  createJob,
  describeJob,
  JobDescription,
  listJobs,
  readJob,
  writeProgress,
  writeResult,
} from "#shared/jobs/record.ts"
import { diskStore } from "#shared/store/disk.ts"
import { putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import { until } from "#test/contracts/job-queue.ts"

const root = mkdtempSync(join(tmpdir(), "voxkin-record-"))
const opened: LocalQueue[] = []
afterAll(async () => {
  await Promise.all(opened.map((queue) => queue.close()))
  await rm(root, { recursive: true })
})

const worker = join(import.meta.dirname, "../support/job-worker.mjs")
let places = 0

/** A store, and a queue whose workers do as `verb` says. */
function open(verb: string) {
  const folder = join(root, String(places++))
  const objects = diskStore(join(folder, "objects"))
  const command = [process.execPath, worker, verb, join(folder, "objects")]
  const queue = localQueue({ folder: join(folder, "queue"), command })
  opened.push(queue)
  return { folder, objects, queue }
}

const publish: Job = { kind: "publish", cohort: "lungs" }
const embed: Job = { kind: "embed", cohort: "lungs", source: "upload", metadata: { age: 61 } }

async function ended(objects: ReturnType<typeof diskStore>, queue: JobQueue, job: string) {
  let found: JobDescription | undefined
  await until(async () => {
    found = await describeJob(objects, queue, job)
    return found.state !== "queued" && found.state !== "running"
  })
  expect(JobDescription.parse(found)).toEqual(found)
  return found!
}

describe("a job's record", () => {
  test("tells of a job that succeeded what it made", async () => {
    const { objects, queue } = open("result")
    const now = new Date("2026-03-01T12:00:00Z")
    const job = await createJob(objects, queue, embed, now, [Uint8Array.of(1), Uint8Array.of(2)])
    expect(JobId.parse(job)).toBe(job)
    expect(await readJob(objects, job)).toEqual({ id: job, job: embed, createdAt: now.toISOString() })
    expect((await objects.get(keys.uploadPart(job, 0)))?.bytes).toEqual(Uint8Array.of(1, 2))
    expect(await ended(objects, queue, job)).toEqual({
      job,
      kind: "embed",
      cohort: "lungs",
      createdAt: now.toISOString(),
      state: "succeeded",
      finishedAt: expect.any(String),
      progress: undefined,
      result: { made: 3 },
    })
  })

  test("tells of a job that failed which fault it was", async () => {
    const { objects, queue } = open("fault")
    const job = await createJob(objects, queue, publish, new Date())
    expect(await ended(objects, queue, job)).toMatchObject({
      state: "failed",
      fault: { kind: "invalid", code: "bad-scan", message: "the scan is bad: send another" },
    })
  })

  test("a worker that ends without a result has crashed", async () => {
    const { objects, queue } = open("crash")
    const job = await createJob(objects, queue, publish, new Date())
    expect(await ended(objects, queue, job)).toMatchObject({
      state: "failed",
      fault: { kind: "unavailable", code: "worker-crashed" },
    })
  })

  test("shows progress, and lets it be cancelled with its upload", async () => {
    const { objects, queue } = open("last")
    const job = await createJob(objects, queue, embed, new Date(), [Uint8Array.of(1)])
    await until(async () => (await describeJob(objects, queue, job)).state === "running")
    const progress = { done: 2, total: 5, message: "embedding", at: new Date().toISOString() }
    await writeProgress(objects, job, progress)
    expect(await describeJob(objects, queue, job)).toMatchObject({ state: "running", progress })

    await cancelJob(objects, queue, job, new Date())
    const after = { state: "cancelled", progress, fault: { code: "cancelled" } }
    expect(await describeJob(objects, queue, job)).toMatchObject(after)
    expect(await objects.list(keys.upload(job))).toEqual([])
    await writeResult(objects, job, { ok: true, result: 1, finishedAt: new Date().toISOString() })
    expect(await describeJob(objects, queue, job), "a late worker changes nothing").toMatchObject(after)
  })

  test("cancelling what has ended leaves it as it is", async () => {
    const { objects, queue } = open("result")
    const job = await createJob(objects, queue, publish, new Date())
    const before = await ended(objects, queue, job)
    await cancelJob(objects, queue, job, new Date())
    expect(await describeJob(objects, queue, job)).toEqual(before)
  })

  test("the first result stays", async () => {
    const { objects, queue } = open("result")
    const job = await createJob(objects, queue, publish, new Date())
    const before = await ended(objects, queue, job)
    const fault = { kind: "missing", code: "no-upload", message: "gone" } as const
    await writeResult(objects, job, { ok: false, fault, finishedAt: new Date().toISOString() })
    expect(await describeJob(objects, queue, job)).toEqual(before)
  })

  test("a job that the queue does not know is new for a minute, then lost", async () => {
    const { objects, queue } = open("result")
    const job = newJobId()
    const made = (createdAt: string) => putJson(objects, keys.job(job), { id: job, job: publish, createdAt })
    await made(new Date(Date.now() - 30_000).toISOString())
    expect(await describeJob(objects, queue, job)).toMatchObject({ state: "queued" })
    await made(new Date(Date.now() - 61_000).toISOString())
    expect(await describeJob(objects, queue, job)).toMatchObject({ state: "failed", fault: { code: "lost" } })
  })

  test("what a queue refuses leaves nothing behind", async () => {
    const { folder, objects, queue } = open("result")
    const refusing: JobQueue = {
      ...queue,
      submit: async () => {
        throw new Fault("unavailable", "aws-failed", "no")
      },
    }
    await expect(createJob(objects, refusing, embed, new Date(), [Uint8Array.of(1)])).rejects.toMatchObject({
      code: "aws-failed",
    })
    expect(await objects.list("")).toEqual([])
    expect((await readdir(join(folder, "objects"))).sort()).toEqual([".locks", ".tmp"])
  })

  test("lists the newest hundred, newest first", async () => {
    const { objects, queue } = open("result")
    const idle: JobQueue = { ...queue, submit: async () => {} }
    const start = Date.now()
    const made: string[] = []
    for (let i = 0; i < 103; i++) made.push(await createJob(objects, idle, publish, new Date(start + i)))
    const listed = await listJobs(objects, idle)
    expect(listed.map(({ job }) => job)).toEqual(made.slice(3).reverse())
  })

  test("says that there is no such job", async () => {
    const { objects, queue } = open("result")
    const fault = { kind: "missing", code: "no-such-job" }
    const job = newJobId()
    await expect(describeJob(objects, queue, job)).rejects.toMatchObject({
      ...fault,
      message: expect.stringContaining(job),
    })
    await expect(cancelJob(objects, queue, job, new Date())).rejects.toMatchObject(fault)
    await expect(readJob(objects, job)).rejects.toMatchObject(fault)
  })
})
