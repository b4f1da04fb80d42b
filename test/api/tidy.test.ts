import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { keepTidy, tidy } from "#functions/jobs/tidy.ts"
import { localJobs, scratchOf } from "#functions/local.ts"
import type { JobQueue } from "#shared/jobs/queue.ts"
import { createJob, describeJob } from "#shared/jobs/record.ts"
import { jobsWithUpload, keepUpload } from "#shared/jobs/upload.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { until } from "#test/contracts/job-queue.ts"
import { api } from "#test/support/api.ts"

/** Makes a job with an upload that no queue hears of. */
function unheard(objects: ObjectStore): Promise<string> {
  const deaf: JobQueue = { submit: async () => {}, status: async () => undefined, cancel: async () => {} }
  const job = { kind: "embed", cohort: "c", source: "s" } as const
  return createJob(objects, deaf, job, new Date(), [Uint8Array.of(1)])
}

/** A job's id as one gets it that was begun so many hours ago. */
function idFrom(hours: number): string {
  return `j-${(Date.now() - hours * 3_600_000).toString(16).padStart(12, "0")}0123456789ab`
}

test("what ended jobs left is removed; what may still arrive, wait or run is not", async () => {
  const { ports, data } = api()
  const { objects } = ports
  const states = { [await unheard(objects)]: "running", [await unheard(objects)]: "failed" } as const
  const arriving = { [idFrom(1)]: "arriving", [idFrom(3)]: "given up" }
  for (const job of Object.keys(arriving)) await keepUpload(objects, job, [Uint8Array.of(1)])
  const all: Record<string, string> = { ...states, ...arriving }
  for (const job of Object.keys(all)) mkdirSync(join(scratchOf(data, job), "x"), { recursive: true })
  mkdirSync(scratchOf(data, "of-somebody-else"))

  const jobs = { ...localJobs({ data }), status: async (job: string) => states[job] }
  await tidy(data, objects, jobs)

  const withUpload = await jobsWithUpload(objects)
  expect(withUpload.map((job) => all[job]).sort()).toEqual(["arriving", "running"])
  const withScratch = Object.keys(all).filter((job) => existsSync(scratchOf(data, job)))
  expect(withScratch.sort()).toEqual(withUpload.sort())
  expect(existsSync(scratchOf(data, "of-somebody-else"))).toBe(true)
})

test("a server takes up the jobs of one that died, without being started again", async () => {
  const { ports, data, queue } = api()
  const { objects, jobs } = ports
  const job = await unheard(objects)
  mkdirSync(queue)
  const orphan = { state: "queued", submittedAt: 1, attempts: 0 }
  writeFileSync(join(queue, `${job}.json`), JSON.stringify(orphan))
  expect(await describeJob(objects, jobs, job)).toMatchObject({ state: "queued" })

  const living = localJobs({ data })
  const tidying = keepTidy(data, objects, living)
  await until(async () => (await describeJob(objects, jobs, job)).state === "failed")
  expect(await describeJob(objects, jobs, job)).toMatchObject({ fault: { code: "not-a-scan" } })
  await tidying.stop()
  await living.close()
})

test("what goes wrong while tidying is said and stops nothing", async () => {
  const { ports, data } = api()
  const lines: string[] = []
  const broken = { ...ports.objects, list: () => Promise.reject(new Error("the disk is away")) }
  const tidying = keepTidy(data, broken, localJobs({ data }), (line) => lines.push(line))
  await until(async () => lines.length === 1)
  expect(lines[0]).toContain("the disk is away")
  await tidying.stop()
})

test("a job whose record is damaged fails with the reason, and is not tried again", async () => {
  const { ports } = api()
  const { objects, jobs } = ports
  const job = await unheard(objects)
  await objects.put(keys.job(job), new TextEncoder().encode("{"))
  await jobs.submit(job)
  await until(async () => (await jobs.status(job)) === "failed")
  const result = await objects.get(keys.jobResult(job))
  expect(JSON.parse(new TextDecoder().decode(result!.bytes))).toMatchObject({
    ok: false,
    fault: { code: "corrupt-object" },
  })
})
