export type QueueState = "queued" | "running" | "succeeded" | "failed" | "cancelled"

/**
 * Runs jobs somewhere else: a worker process here, a container in AWS Batch. The queue carries only the job's id;
 * what it is to do lies in the object store (`jobs/{id}/job.json`), and so does what came of it.
 */
export interface JobQueue {
  /** The same id twice is one job. */
  submit(job: string): Promise<void>
  /** Undefined for a job it never saw, or has forgotten. */
  status(job: string): Promise<QueueState | undefined>
  /** Cancelling what has ended, or was never seen, is no error. */
  cancel(job: string): Promise<void>
}
