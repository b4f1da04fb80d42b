import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import { isAlive, isCode, type Owner, processOf } from "#shared/store/owner.ts"
import { keepLog } from "./log-file.ts"

const graceMs = 5000

export interface Run {
  /** Undefined when it could not start, or has already ended. */
  worker: Owner | undefined
  /** An exit code, or in words why there is none. */
  ended: Promise<number | string>
}

/**
 * Starts a worker for one job, as the head of its own process group so that all it starts can be ended with it.
 * Its fourth file descriptor is Node's message channel, which closes when this process dies (`exitWithQueue`).
 */
export async function startWorker(command: string[], job: string, logPath: string): Promise<Run> {
  const [program, ...args] = command
  const child = spawn(program, [...args, job], { detached: true, stdio: ["ignore", "pipe", "pipe", "ipc"] })
  // without a free file descriptor there are no streams, only the error
  const log = keepLog(logPath, child.stdout && child.stderr ? [child.stdout, child.stderr] : [])
  const ended = endOf(child).then(async (end) => {
    await log.end(`\n[${job} ended: ${end}]\n`)
    return end
  })
  const worker = child.pid === undefined ? undefined : await processOf(child.pid)
  return { worker, ended }
}

function endOf(child: ChildProcess): Promise<number | string> {
  return new Promise((done) => {
    child.on("error", (thrown) => {
      if (child.pid === undefined) done(`could not start: ${thrown.message}`)
    })
    child.on("exit", async (code, signal) => {
      // what it printed last is still in the pipes, which a process it left behind may keep open
      await Promise.race([once(child, "close"), sleep(1000)])
      done(code ?? `killed by ${signal}`)
    })
  })
}

/**
 * Ends a worker and all it started: politely, and after 5 s by force. A later process that got its number is left
 * alone, and so is one of another machine.
 */
export async function stopWorker(worker: Owner): Promise<void> {
  const lives = async () => (await isAlive(worker)) === true
  if (!(await lives())) return
  signalGroup(worker.pid, "SIGTERM")
  for (const deadline = Date.now() + graceMs; Date.now() < deadline && (await lives()); ) await sleep(20)
  signalGroup(worker.pid, "SIGKILL")
  while (await lives()) await sleep(10)
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal)
  } catch (thrown) {
    if (!isCode(thrown, "ESRCH")) throw thrown // ESRCH: all have ended
  }
}
