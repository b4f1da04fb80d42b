import {
  type BatchClient,
  type JobStatus,
  type JobSummary,
  ListJobsCommand,
  SubmitJobCommand,
  TerminateJobCommand,
} from "@aws-sdk/client-batch"
import { awsFault } from "#shared/store/aws.ts"
import type { JobQueue, QueueState } from "./queue.ts"

export interface BatchPlace {
  client: BatchClient
  jobQueue: string
  jobDefinition: string
  /** Keeps the jobs of two deployments in one queue apart. */
  namePrefix?: string
}

const states: Record<JobStatus, QueueState> = {
  SUBMITTED: "queued",
  PENDING: "queued",
  RUNNABLE: "queued",
  STARTING: "queued",
  RUNNING: "running",
  SUCCEEDED: "succeeded",
  FAILED: "failed",
}

/** Batch knows no cancelled state: a job that was ended fails, with the reason it was given. */
const cancelled = "cancelled by voxkin"

/**
 * Jobs of AWS Batch, found by name: the job's id is the name, and the last argument of the container's entry
 * point. Batch forgets a job some days after its end (at least 24 hours). Two submissions in the same second may
 * both run, because a listing lags behind; a job is safe to run twice.
 */
export function batchQueue({ client, jobQueue, jobDefinition, namePrefix = "" }: BatchPlace): JobQueue {
  const fault = (job: string, thrown: unknown) => awsFault(job, `job queue ${jobQueue}`, thrown)

  /** The newest of that name, should there be several. */
  async function find(job: string): Promise<JobSummary | undefined> {
    const found: JobSummary[] = []
    let nextToken: string | undefined
    do {
      const filters = [{ name: "JOB_NAME", values: [namePrefix + job] }]
      const page = await client.send(new ListJobsCommand({ jobQueue, filters, nextToken }))
      found.push(...(page.jobSummaryList ?? []))
      nextToken = page.nextToken
    } while (nextToken)
    return found.sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0))[0]
  }

  return {
    async submit(job) {
      try {
        if (await find(job)) return
        await client.send(
          new SubmitJobCommand({
            jobName: namePrefix + job,
            jobQueue,
            jobDefinition,
            containerOverrides: { command: [job] },
            // as the local queue does: exit 2 is a fault that no repetition would mend
            retryStrategy: {
              attempts: 3,
              evaluateOnExit: [
                { onExitCode: "2", action: "EXIT" },
                { onReason: "*", action: "RETRY" },
              ],
            },
          }),
        )
      } catch (thrown) {
        throw fault(job, thrown)
      }
    },

    async status(job) {
      try {
        const found = await find(job)
        if (!found) return undefined
        if (found.status === "FAILED" && found.statusReason?.includes(cancelled)) return "cancelled"
        return states[found.status!]
      } catch (thrown) {
        throw fault(job, thrown)
      }
    },

    /** Ends a running container within a minute or so; one that waits is never started. */
    async cancel(job) {
      try {
        const found = await find(job)
        if (!found || found.status === "SUCCEEDED" || found.status === "FAILED") return
        await client.send(new TerminateJobCommand({ jobId: found.jobId, reason: cancelled }))
      } catch (thrown) {
        throw fault(job, thrown)
      }
    },
  }
}
