import { Fault } from "#shared/errors.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import type { JobQueue } from "./queue.ts"
import { describeJob } from "./record.ts"
import { deleteUpload, jobsWithUpload } from "./upload.ts"

/** How long an upload may take to arrive, in ms: 1 GiB at 2.4 Mbit/s. What has no job after twice that was given up. */
export const uploadMs = 3_600_000

/** Deletes uploads whose jobs have ended or are lost: after a crash nobody else would, and they may hold names. */
export async function sweepUploads(objects: ObjectStore, queue: JobQueue): Promise<void> {
  for (const id of await jobsWithUpload(objects)) {
    if (await isOver(objects, queue, id)) await deleteUpload(objects, id)
  }
}

/** Whether nobody is going to work on this job, now or later. */
export async function isOver(objects: ObjectStore, queue: JobQueue, id: string): Promise<boolean> {
  try {
    const { state, fault } = await describeJob(objects, queue, id)
    // one the queue has not been given yet looks lost
    return fault?.code === "lost" ? isOld(id) : state !== "queued" && state !== "running"
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown
    if (thrown.code === "no-such-job") return isOld(id) // its upload may still be arriving
    if (thrown.code === "corrupt-object") return false // for whoever mends it
    throw thrown
  }
}

/** Whether the job was begun, as its id tells, so long ago that its upload cannot still be arriving. */
function isOld(id: string): boolean {
  return Date.now() - Number.parseInt(id.slice(2, 14), 16) > 2 * uploadMs
}
