import { localQueue } from "#shared/jobs/local.ts"

/** Another process with a local queue: `queue-host.ts FOLDER COMMAND… -- JOB…` submits the jobs and runs on. */
const [folder, ...rest] = process.argv.slice(2)
const end = rest.indexOf("--")
const queue = localQueue({ folder, command: rest.slice(0, end) })
for (const job of rest.slice(end + 1)) await queue.submit(job)
setInterval(() => {}, 1000)
