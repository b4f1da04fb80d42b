import { Command } from "commander"
import { Fault } from "#shared/errors.ts"
import { JobId } from "#shared/ids.ts"
import { exitWithQueue } from "#shared/jobs/exit-with-queue.ts"
import { readJob, writeProgress, writeResult } from "#shared/jobs/record.ts"
import { keys } from "#shared/store/keys.ts"
import { localPorts } from "../local.ts"
import { run } from "./run.ts"

/**
 * A worker: does the one job it is given and exits with 0 (done), 2 (a fault: trying again is no use) or
 * 1 (it broke: try again).
 */
async function main(): Promise<number> {
  const command = new Command("voxkin-job")
    .argument("<job>")
    .requiredOption("--data <dir>")
    .option("--encoder <dir>")
    .parse()
  const id = JobId.parse(command.args[0])
  const ports = localPorts(command.opts<{ data: string; encoder?: string }>())
  const { objects, now } = ports
  const { job } = await readJob(objects, id)

  let lastWrite = 0
  let writing = Promise.resolve()
  const onProgress = (progress: { done: number; total: number; message: string }) => {
    // Four a second are enough for eyes, and the last word is the result's.
    if (Date.now() - lastWrite < 250) return
    lastWrite = Date.now()
    writing = writing.then(() => writeProgress(objects, id, { ...progress, at: now().toISOString() }))
  }

  try {
    const result = await run(id, job, ports, onProgress)
    await writing
    await writeResult(objects, id, { ok: true, result, finishedAt: now().toISOString() })
    await objects.delete(keys.upload(id))
    return 0
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown
    const { kind, code, message } = thrown
    await writing
    await writeResult(objects, id, {
      ok: false,
      fault: { kind, code, message },
      finishedAt: now().toISOString(),
    })
    await objects.delete(keys.upload(id))
    return 2
  } finally {
    await ports.close()
  }
}

exitWithQueue()
process.exitCode = await main()
