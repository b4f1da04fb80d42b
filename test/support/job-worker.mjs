import { spawn } from "node:child_process"
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs"

/** A scripted worker of the local queue: `job-worker.mjs VERB FOLDER JOB`. Notes each run in `FOLDER/runs`. */
const [verb, folder, job] = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
appendFileSync(`${folder}/runs`, `${job} ${process.pid}\n`)

const forever = () => setInterval(() => {}, 1000)
/** Whole or not at all, as a store writes. */
function leave(result) {
  writeFileSync(`${folder}/${job}.draft`, JSON.stringify(result))
  renameSync(`${folder}/${job}.draft`, `${folder}/jobs/${job}/result.json`)
}
const endings = {
  succeed: () => process.exit(0),
  fail: () => process.exit(2),
  crash: () => process.exit(1),
  last: forever,
  /** Pays no heed to SIGTERM, and has a child that does not either. */
  stubborn() {
    const idle = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"
    const child = spawn(process.execPath, ["-e", idle], { stdio: "ignore" })
    process.on("SIGTERM", () => {})
    appendFileSync(`${folder}/runs`, `child ${child.pid}\n`)
    forever()
  },
  chatty() {
    process.stdout.write("first words\n")
    process.stdout.write("x".repeat(3 * 1024 ** 2))
    process.stdout.write("last words\n")
    process.exitCode = 2
  },
  /** Does what a real worker does: leaves a result in the store, of which FOLDER is the folder. */
  result() {
    const result = { ok: true, result: { made: 3 }, finishedAt: new Date().toISOString() }
    leave(result)
  },
  fault() {
    const fault = { kind: "invalid", code: "bad-scan", message: "the scan is bad: send another" }
    const result = { ok: false, fault, finishedAt: new Date().toISOString() }
    leave(result)
    process.exit(2)
  },
}
endings[verb]()
