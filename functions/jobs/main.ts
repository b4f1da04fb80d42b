import { rmSync } from "node:fs"
import { mkdir, rm } from "node:fs/promises"
import { Command } from "commander"
import { Fault } from "#shared/errors.ts"
import { JobId } from "#shared/ids.ts"
import { exitWithQueue } from "#shared/jobs/exit-with-queue.ts"
import { readJob, writeProgress, writeResult } from "#shared/jobs/record.ts"
import { deleteUpload } from "#shared/jobs/upload.ts"
import { localPorts, scratchOf } from "../local.ts"
import type { Progress } from "../ports.ts"
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
  const options = command.opts<{ data: string; encoder?: string }>()
  await useScratch(scratchOf(options.data, id))
  const ports = localPorts(options)
  const { objects, now } = ports

  let lastWrite = 0
  let writing = Promise.resolve()
  const onProgress = (progress: Progress) => {
    // Four a second are enough for eyes, and the last word is the result's.
    if (Date.now() - lastWrite < 250) return
    lastWrite = Date.now()
    const at = now().toISOString()
    writing = writing.then(() => writeProgress(objects, id, { ...progress, at })).catch(faultsOnly)
  }

  try {
    const { job } = await readJob(objects, id)
    const result = await run(id, job, ports, onProgress)
    await writing
    await writeResult(objects, id, { ok: true, result, finishedAt: now().toISOString() })
    await deleteUpload(objects, id)
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
    await deleteUpload(objects, id)
    return 2
  } finally {
    await ports.close()
  }
}

/** Lets everything here that asks for a temporary folder get it within this one, which goes when we go. */
async function useScratch(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true }) // of a run that was killed
  await mkdir(folder, { recursive: true })
  process.env.TMPDIR = folder
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
}

/** A progress that cannot be written is no reason to stop. */
function faultsOnly(thrown: unknown): void {
  if (!(thrown instanceof Fault)) throw thrown
}

exitWithQueue()
process.exitCode = await main()
