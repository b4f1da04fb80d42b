import { exitWithQueue } from "#shared/jobs/exit-with-queue.ts"

/** A worker that would last for ever, if its queue did. */
exitWithQueue()
console.log("ready")
setInterval(() => {}, 1000)
