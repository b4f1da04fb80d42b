import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { withLock } from "#functions/setup/lock.mjs"

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "voxkin-lock-"))
  file = join(folder, "lock")
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A lock left behind, untouched for `seconds`, by a holder whose program had this process id. */
function leaveBehind(pid: number, seconds: number) {
  writeFileSync(file, `1 1 ${pid}`)
  const then = new Date(Date.now() - seconds * 1000)
  utimesSync(file, then, then)
}
const deadPid = () => spawnSync("true").pid

describe("the set-up's lock", () => {
  test("lets one in at a time, and tells the other that it waits", async () => {
    const seen: string[] = []
    const first = withLock(file, async () => {
      seen.push("first in")
      await sleep(100)
      seen.push("first out")
    })
    const second = withLock(
      file,
      async () => seen.push("second in"),
      () => seen.push("second waits"),
    )
    await Promise.all([first, second])
    expect(seen).toEqual(["first in", "second waits", "first out", "second in"])
    expect(existsSync(file)).toBe(false)
  })

  test("is given back when the work throws", async () => {
    await expect(withLock(file, () => Promise.reject(new Error("npm ci failed")))).rejects.toThrow(
      "npm ci failed",
    )
    expect(existsSync(file)).toBe(false)
  })

  test("is taken over, by one of two, from a holder that was killed", async () => {
    leaveBehind(deadPid(), 11)
    let inside = 0
    const work = async () => {
      expect(++inside).toBe(1)
      await sleep(50)
      inside--
    }
    await Promise.all([withLock(file, work), withLock(file, work)])
  })

  test("holds while the killed holder's program lives on, but not for ever", async () => {
    leaveBehind(process.pid, 60)
    let waited = 0
    await withLock(
      file,
      async () => expect(waited).toBe(1),
      () => {
        waited++
        leaveBehind(process.pid, 16 * 60)
      },
    )
  })
})
