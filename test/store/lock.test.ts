import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync } from "node:fs"
import { readdir, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, expect, test } from "vitest"
import { withLock } from "#shared/store/lock.ts"
import { thisProcess } from "#shared/store/owner.ts"

const folder = mkdtempSync(join(tmpdir(), "voxkin-lock-"))
afterAll(() => rm(folder, { recursive: true }))

test("twelve at once come in one by one, also where each finds the lock of a dead process", async () => {
  const dead = spawn("true")
  await once(dead, "exit")
  const { host, start } = await thisProcess()
  for (let round = 0; round < 15; round++) {
    const path = join(folder, `lock${round}`)
    await symlink(`${round}|${dead.pid}|${start}|${host}`, path)
    let inside = 0
    const together: number[] = []
    const work = async () => {
      together.push(++inside)
      await sleep(Math.random() * 2)
      inside--
    }
    await Promise.all(Array.from({ length: 12 }, () => withLock(path, work)))
    expect(together).toEqual(new Array(12).fill(1))
  }
  expect(await readdir(folder)).toEqual([])
}, 30_000)

test("is given back when the work fails", async () => {
  const path = join(folder, "failing")
  const work = () => Promise.reject(new Error("work failed"))
  await expect(withLock(path, work)).rejects.toThrow("work failed")
  expect(await withLock(path, async () => 7)).toBe(7)
})
