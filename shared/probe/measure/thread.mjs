// A thread that learns and tests. Plain JavaScript, because a thread's first file must start without a loader; it gets
// itself one for the rest, which works alike below the command line, a job and a test runner.
import { parentPort } from "node:worker_threads"
import { register } from "tsx/esm/api"

register()
const { reply } = await import("./questions.ts")
parentPort.on("message", (question) => parentPort.postMessage(reply(question)))
