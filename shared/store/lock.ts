import { lstat, readlink, symlink, unlink } from "node:fs/promises"
import { dirname } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { Fault } from "#shared/errors.ts"
import { makeFolder } from "./folder.ts"
import { isAlive, isCode, newNonce, thisProcess } from "./owner.ts"

const patienceMs = 30_000
/** How long a lock of another machine is honoured; ours are held for a rename, not for work. */
const foreignMs = 60_000

/**
 * Runs `work` while no other process does so under the same path. The lock is a symbolic link, because making one
 * is atomic and its target can say who holds it. A lock whose process is dead is removed; a living one is waited
 * for, however long it sleeps, because breaking it would let two writers win.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await acquire(path)
  try {
    return await work()
  } finally {
    await unlink(path)
  }
}

async function acquire(path: string): Promise<void> {
  const { host, pid, start } = await thisProcess()
  const claim = [newNonce(), pid, start, host].join("|")
  const deadline = Date.now() + patienceMs
  while (!(await tryLink(claim, path))) {
    const holder = await readLock(path)
    if (holder !== undefined && (await isDead(path, holder))) await remove(path, holder)
    else if (Date.now() > deadline) {
      throw new Fault(
        "unavailable",
        "store-busy",
        `a lock of the data folder is held by process ${holder?.split("|")[1]}: end that process, or wait for it`,
      )
    } else await sleep(1 + Math.random() * 9)
  }
}

/** Of all that saw the same dead holder one removes its lock: each looks again under a lock named after it. */
function remove(path: string, holder: string): Promise<void> {
  return withLock(`${path}.${holder.split("|")[0]}`, async () => {
    if ((await readLock(path)) === holder) await unlink(path)
  })
}

async function tryLink(claim: string, path: string): Promise<boolean> {
  try {
    await symlink(claim, path)
    return true
  } catch (thrown) {
    if (isCode(thrown, "ENOENT")) await makeFolder(dirname(path))
    else if (!isCode(thrown, "EEXIST")) throw thrown
    return false
  }
}

async function readLock(path: string): Promise<string | undefined> {
  try {
    return await readlink(path)
  } catch (thrown) {
    if (isCode(thrown, "ENOENT")) return undefined
    throw thrown
  }
}

async function isDead(path: string, holder: string): Promise<boolean> {
  const [, pid, start, host] = holder.split("|")
  const alive = await isAlive({ host, pid: Number(pid), start })
  if (alive !== undefined) return !alive
  try {
    return Date.now() - (await lstat(path)).mtimeMs > foreignMs
  } catch (thrown) {
    if (isCode(thrown, "ENOENT")) return false
    throw thrown
  }
}
