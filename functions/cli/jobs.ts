import { type JobDescription, listJobs } from "#shared/jobs/record.ts"
import { type LocalOptions, localJobs } from "../local.ts"
import type { JobPorts } from "../ports.ts"
import type { Output } from "./output.ts"

/** A line per job, newest first. Looks only; the server that runs them is left alone. */
export async function jobsCommand(options: LocalOptions, { objects }: JobPorts, out: Output): Promise<void> {
  const jobs = await listJobs(objects, localJobs(options), ({ message }) => out.remark(message))
  for (const job of jobs) out.result(job, words)
  if (jobs.length === 0) out.remark("no jobs yet: they are made by uploads, publishing and fits over HTTP")
}

function words({ job, kind, state, createdAt, progress, fault }: JobDescription): string {
  const detail = fault ? `${fault.message} [${fault.code}]` : (progress?.message ?? "")
  return `${createdAt}  ${job}  ${kind.padEnd(7)}  ${state.padEnd(9)}  ${detail}`
}
