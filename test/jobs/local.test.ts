import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync } from "node:fs"
import { readdir, readFile, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { newJobId } from "#shared/ids.ts"
import { type LocalQueue, localQueue } from "#shared/jobs/local.ts"
import { changeLocalJob, type LocalJob, readLocalJob } from "#shared/jobs/local-job.ts"
import { diskStore } from "#shared/store/disk.ts"
import { isAlive, processOf, thisProcess } from "#shared/store/owner.ts"
import { jobQueueContract, stateAfter, until } from "#test/contracts/job-queue.ts"

const root = mkdtempSync(join(tmpdir(), "voxkin-queue-"))
const opened: LocalQueue[] = []
const hosts: ChildProcess[] = []
afterAll(async () => {
  await Promise.all(opened.map((queue) => queue.close()))
  for (const host of hosts) host.kill("SIGKILL")
  await rm(root, { recursive: true })
}, 20_000)

const workerScript = join(import.meta.dirname, "../support/job-worker.mjs")
let folders = 0
const newFolder = () => join(root, String(folders++))
const does = (verb: string, folder: string) => [process.execPath, workerScript, verb, join(folder, "trace")]

function open(verb: string, folder = newFolder(), concurrency?: number): LocalQueue {
  const queue = localQueue({ folder, command: does(verb, folder), concurrency })
  opened.push(queue)
  return queue
}

/** The lines that workers wrote: job and process number of each run. */
async function runsIn(folder: string): Promise<{ job: string; pid: number }[]> {
  const path = join(folder, "trace/runs")
  if (!existsSync(path)) return []
  const lines = (await readFile(path, "utf8")).trim().split("\n")
  return lines.map((line) => ({ job: line.split(" ")[0], pid: Number(line.split(" ")[1]) }))
}

const isRunning = async (pid: number) => (await processOf(pid)) !== undefined

describe("local queue", () => {
  jobQueueContract(
    "the local queue",
    async (ending) => {
      const folder = newFolder()
      const runs = async (job: string) => (await runsIn(folder)).filter((run) => run.job === job).length
      return { queue: open(ending, folder), runs }
    },
    { runsJobs: true },
  )

  test("runs jobs in the order of submission, one at a time", async () => {
    const folder = newFolder()
    const queue = open("succeed", folder)
    const jobs = Array.from({ length: 5 }, () => newJobId())
    for (const job of jobs) await queue.submit(job)
    await stateAfter(queue, jobs[4])
    expect((await runsIn(folder)).map((run) => run.job)).toEqual(jobs)
  })

  test("runs as many at once as it is told", async () => {
    const folder = newFolder()
    const queue = open("last", folder, 2)
    const jobs = Array.from({ length: 3 }, () => newJobId())
    for (const job of jobs) await queue.submit(job)
    await until(async () => (await runsIn(folder)).length === 2)
    expect(await Promise.all(jobs.map((job) => queue.status(job)))).toEqual(["running", "running", "queued"])
    await queue.close()
  })

  test("a worker that cannot be started fails its job, and the log says why", async () => {
    const folder = newFolder()
    const queue = localQueue({ folder, command: [join(folder, "no-such-program")] })
    const job = newJobId()
    await queue.submit(job)
    expect(await stateAfter(queue, job)).toBe("failed")
    expect(await readFile(join(folder, `${job}.log`), "utf8")).toContain("could not start")
  })

  test("refuses an id that would leave its folder", async () => {
    await expect(open("succeed").submit("../x")).rejects.toMatchObject({ code: "bad-key" })
  })

  test("cancelling ends a worker that will not hear, and its children", async () => {
    const folder = newFolder()
    const queue = open("stubborn", folder)
    const job = newJobId()
    await queue.submit(job)
    await until(async () => (await runsIn(folder)).length === 2)
    const pids = (await runsIn(folder)).map((run) => run.pid)
    await queue.cancel(job)
    expect(await queue.status(job)).toBe("cancelled")
    await until(async () => !(await isRunning(pids[0])) && !(await isRunning(pids[1])))
  }, 20_000)

  test("cancelling ends a worker that nobody yet knew of", async () => {
    const folder = newFolder()
    const queue = open("last", folder, 6)
    const jobs = Array.from({ length: 6 }, () => newJobId())
    for (const job of jobs) {
      await queue.submit(job)
      while ((await queue.status(job)) === "queued");
      await queue.cancel(job)
      expect(await queue.status(job)).toBe("cancelled")
    }
    for (const job of jobs)
      await until(async () =>
        (await readFile(join(folder, `${job}.log`), "utf8")).includes("ended: killed by SIG"),
      )
  }, 30_000)

  test("keeps the start and the end of what a worker prints, not the middle", async () => {
    const folder = newFolder()
    const queue = open("chatty", folder)
    const job = newJobId()
    await queue.submit(job)
    await stateAfter(queue, job)
    const log = (await readFile(join(folder, `${job}.log`), "utf8")).replaceAll(/x{1000}/g, "")
    expect(log.length).toBeLessThan(3000)
    expect(log.replaceAll(/x+/g, "x")).toMatch(
      /^first words\nx\n… \d{7} bytes left out …\nxlast words\n\n\[j-[0-9a-f]{24} ended: 2\]\n$/,
    )
  })

  test("closing stops workers; the next start goes on, in order, without counting a crash", async () => {
    const folder = newFolder()
    const first = open("last", folder)
    const jobs = Array.from({ length: 3 }, () => newJobId())
    for (const job of jobs) await first.submit(job)
    await until(async () => (await runsIn(folder)).length === 1)
    await first.close()
    const [{ pid }] = await runsIn(folder)
    expect(await isRunning(pid)).toBe(false)

    const second = open("succeed", folder)
    expect(await second.status(jobs[0])).toBe("queued")
    await second.start()
    for (const job of jobs) expect(await stateAfter(second, job)).toBe("succeeded")
    expect((await runsIn(folder)).map((run) => run.job)).toEqual([jobs[0], ...jobs])
    expect((await readLocalJob(diskStore(folder), jobs[0]))?.attempts).toBe(1)
  })
})

describe("local queue between processes", () => {
  function host(folder: string, command: string[], jobs: string[]): ChildProcess {
    const script = join(import.meta.dirname, "queue-host.ts")
    const args = ["--import", "tsx", script, folder, ...command, "--", ...jobs]
    const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] })
    hosts.push(child)
    return child
  }

  /** The job once the queue knows its worker and the worker has begun. */
  async function runningIn(folder: string, job: string): Promise<LocalJob> {
    const look = () => readLocalJob(diskStore(folder), job)
    await until(async () => (await look())?.worker !== undefined)
    await until(async () => (await runsIn(folder)).some((run) => run.job === job))
    return (await look())!
  }

  test("one process may watch and cancel what another runs", async () => {
    const folder = newFolder()
    const [job, next] = [newJobId(), newJobId()]
    host(folder, does("last", folder), [job, next])
    await runningIn(folder, job)
    const viewer = open("succeed", folder)
    expect(await viewer.status(job)).toBe("running")
    expect(await viewer.status(next)).toBe("queued")
    await viewer.start() // takes nothing from the living
    await viewer.cancel(job)
    expect(await viewer.status(job)).toBe("cancelled")
    await runningIn(folder, next)
    await viewer.cancel(next)
    expect((await runsIn(folder)).map((run) => run.job)).toEqual([job, next])
  }, 20_000)

  test("after its process was killed a queue ends what still runs, and runs it again", async () => {
    const folder = newFolder()
    const [job, next] = [newJobId(), newJobId()]
    const killed = host(folder, does("last", folder), [job, next])
    const { worker } = await runningIn(folder, job)
    await until(async () => existsSync(join(folder, `${next}.json`)))
    killed.kill("SIGKILL")
    await once(killed, "exit")
    expect(await isAlive(worker!)).toBe(true)

    const queue = open("succeed", folder)
    expect(await queue.status(job)).toBe("queued")
    expect(await queue.status(next)).toBe("queued")
    await queue.start()
    expect(await isAlive(worker!)).toBe(false)
    expect(await stateAfter(queue, job)).toBe("succeeded")
    expect(await stateAfter(queue, next)).toBe("succeeded")
    expect((await runsIn(folder)).map((run) => run.job)).toEqual([job, job, next])
  }, 20_000)

  test.each(["while it starts", "when it is at work"])(
    "a worker that asked for it ends when its queue is killed %s",
    async (when) => {
      const folder = newFolder()
      const job = newJobId()
      const loyal = join(import.meta.dirname, "loyal-worker.ts")
      const killed = host(folder, [process.execPath, "--import", "tsx", loyal], [job])
      const look = async () => (await readLocalJob(diskStore(folder), job))?.worker
      await until(async () => (await look()) !== undefined)
      const worker = await look()
      const log = join(folder, `${job}.log`)
      if (when === "when it is at work")
        await until(async () => (await readFile(log, "utf8")).includes("ready"))
      killed.kill("SIGKILL")
      await until(async () => !(await isAlive(worker!)))
    },
    20_000,
  )

  test("leaves alone a stranger that got a dead worker's number", async () => {
    const folder = newFolder()
    const stranger = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true })
    hosts.push(stranger)
    const job = newJobId()
    const { host: machine } = await thisProcess()
    const gone = { host: machine, pid: stranger.pid!, start: "another time" }
    await changeLocalJob(diskStore(folder), job, () => ({
      state: "running",
      submittedAt: 1,
      attempts: 1,
      owner: gone,
      worker: gone,
    }))
    const queue = open("succeed", folder)
    await queue.start()
    expect(await stateAfter(queue, job)).toBe("succeeded")
    expect(await isRunning(stranger.pid!)).toBe(true)
  })

  test("a job whose runs took their process down three times is not tried again", async () => {
    const folder = newFolder()
    const job = newJobId()
    await changeLocalJob(diskStore(folder), job, () => ({ state: "running", submittedAt: 1, attempts: 3 }))
    const queue = open("succeed", folder)
    await queue.start()
    expect(await queue.status(job)).toBe("failed")
    expect(await runsIn(folder)).toEqual([])
  })

  test("looking at a queue writes nothing", async () => {
    const folder = newFolder()
    await open("succeed", folder).status(newJobId())
    await open("succeed", folder).start()
    await expect(stat(folder)).rejects.toMatchObject({ code: "ENOENT" })
    expect(await readdir(root)).not.toContain(folder)
  })
})
