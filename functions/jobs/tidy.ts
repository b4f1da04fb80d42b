import { readdir, rm } from "node:fs/promises"
import { JobId } from "#shared/ids.ts"
import type { LocalQueue } from "#shared/jobs/local.ts"
import { isOver, sweepUploads } from "#shared/jobs/sweep.ts"
import { ifThere } from "#shared/store/disk-faults.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { scratchOf } from "../local.ts"

const everyMs = 60_000

/**
 * Now and every minute: takes up the jobs of servers that died, and removes what killed workers left behind, which
 * may hold names. What goes wrong is said, and tried again: the server answers meanwhile.
 */
export function keepTidy(data: string, objects: ObjectStore, jobs: LocalQueue, log = console.error) {
  let under: Promise<void> | undefined
  const begin = () => {
    under ??= tidy(data, objects, jobs)
      .catch((thrown) => log(JSON.stringify({ level: "error", doing: "tidy", trace: String(thrown) })))
      .finally(() => {
        under = undefined
      })
  }
  begin()
  const timer = setInterval(begin, everyMs)
  timer.unref()
  return {
    async stop(): Promise<void> {
      clearInterval(timer)
      await under
    },
  }
}

export async function tidy(data: string, objects: ObjectStore, jobs: LocalQueue): Promise<void> {
  await jobs.start()
  await sweepUploads(objects, jobs)
  for (const job of (await ifThere(() => readdir(scratchOf(data)))) ?? []) {
    if (!JobId.safeParse(job).success || !(await isOver(objects, jobs, job))) continue
    await rm(scratchOf(data, job), { recursive: true, force: true })
  }
}
