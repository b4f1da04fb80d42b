import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

/** A holder touches its lock every two seconds. */
const abandonedMs = 10_000
/** Process ids are used again: a lock this old is nobody's, whoever now bears the id in it. */
const forgottenMs = 15 * 60_000

/**
 * Runs `work` while holding the lock `file`, so that two set-ups at once do not install over each other. `work` is
 * given a function to name the process that it started: where we are killed and that one lives on, the lock holds.
 * Waits for a living holder (`onWait` is called once) and takes over from one that was killed.
 */
export async function withLock(file, work, onWait = () => {}) {
  mkdirSync(dirname(file), { recursive: true })
  const mine = `${process.pid} ${process.hrtime.bigint()}`
  for (let tries = 0; !(await take(file, mine)); tries++) {
    if (tries === 0) onWait()
    await sleep(500)
  }
  const beat = setInterval(() => touch(file), 2000)
  const release = () => rmSync(file, { force: true })
  process.once("exit", release)
  try {
    return await work((pid) => writeFileSync(file, `${mine} ${pid}`))
  } finally {
    clearInterval(beat)
    process.off("exit", release)
    release()
  }
}

async function take(file, mine) {
  const abandoned = isAbandoned(file)
  if (abandoned) rmSync(file, { force: true })
  try {
    writeFileSync(file, mine, { flag: "wx" })
  } catch (thrown) {
    if (thrown.code === "EEXIST") return false
    throw thrown
  }
  if (!abandoned) return true
  // Another waiter may have seen the same abandoned lock and removed ours as we removed that one: look again.
  await sleep(100)
  return read(file) === mine
}

const absent = (thrown) => {
  if (thrown.code !== "ENOENT") throw thrown
}

function isAbandoned(file) {
  const age = ageMs(file)
  const worker = Number(read(file)?.split(" ")[2])
  return age > forgottenMs || (age > abandonedMs && !(worker > 0 && alive(worker)))
}

function alive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (thrown) {
    if (thrown.code === "ESRCH") return false
    if (thrown.code === "EPERM") return true
    throw thrown
  }
}

function ageMs(file) {
  try {
    return Date.now() - statSync(file).mtimeMs
  } catch (thrown) {
    absent(thrown)
    return 0
  }
}

function read(file) {
  try {
    return readFileSync(file, "utf8")
  } catch (thrown) {
    absent(thrown)
  }
}

function touch(file) {
  try {
    utimesSync(file, new Date(), new Date())
  } catch (thrown) {
    absent(thrown)
  }
}
