import { createHash } from "node:crypto"
import type { BigIntStats } from "node:fs"
import { link, open, readdir, rename, rm, rmdir, stat, unlink } from "node:fs/promises"
import { dirname, join } from "node:path"
import { Fault } from "#shared/errors.ts"
import { ifThere, naming } from "./disk-faults.ts"
import { readFrom } from "./disk-read.ts"
import { makeFolder } from "./folder.ts"
import { withLock } from "./lock.ts"
import { isCode, newNonce } from "./owner.ts"
import { checkKey, checkPrefix, checkRange, isKey, unmet } from "./rules.ts"
import type { ObjectStore, PutCondition } from "./store.ts"

/** A temporary file that nobody has written to for this long belongs to a process that was killed. */
const abandonedMs = 3600_000

/**
 * Objects as plain files under `folder`, which is made on the first write; several processes may share it, on one
 * file system with hard and symbolic links. `.tmp` holds files being written, `.locks` the keys being replaced.
 * A key cannot be an object and the folder of others: the second `put` is a Fault `key-is-folder`.
 */
export function diskStore(folder: string): ObjectStore {
  const temporary = join(folder, ".tmp")
  let cleaned = false

  const exclusively = (key: string, work: () => Promise<void>) =>
    withLock(join(folder, ".locks", createHash("sha256").update(key).digest("hex").slice(0, 32)), work)

  async function tryPut(
    key: string,
    bytes: Uint8Array,
    condition?: PutCondition,
  ): Promise<string | undefined> {
    const path = join(folder, key)
    const draft = join(temporary, newNonce())
    try {
      const etag = await writeDraft(draft, bytes)
      await makeFolder(dirname(path))
      // link, unlike rename, never replaces
      if (condition && "ifAbsent" in condition) await link(draft, path)
      else
        await exclusively(key, async () => {
          if (condition && (await etagAt(path)) !== condition.ifMatch) throw unmet(key)
          await rename(draft, path)
        })
      return etag
    } catch (thrown) {
      if (isCode(thrown, "ENOENT")) return undefined
      if (isCode(thrown, "EEXIST") && condition && (await etagAt(path))) throw unmet(key, thrown)
      throw thrown
    } finally {
      await rm(draft, { force: true })
    }
  }

  return {
    async get(key, range) {
      checkKey(key)
      if (range) checkRange(key, range)
      return naming(key, () =>
        ifThere(async () => {
          const found = await readFrom(join(folder, key), range)
          return found && { bytes: found.bytes, etag: etagOf(found.stats) }
        }),
      )
    },

    async put(key, bytes, condition) {
      checkKey(key)
      return naming(key, async () => {
        await makeFolder(temporary)
        if (!cleaned) await removeAbandoned(temporary)
        cleaned = true
        // a `delete` beside us may take away the emptied folder we are about to write into
        for (let attempt = 1; attempt <= 20; attempt++) {
          const etag = await tryPut(key, bytes, condition)
          if (etag) return etag
        }
        throw new Fault(
          "unavailable",
          "store-busy",
          `the folder of ${key} keeps vanishing: stop what deletes it`,
        )
      })
    },

    async has(key) {
      checkKey(key)
      return naming(key, async () => (await etagAt(join(folder, key))) !== undefined)
    },

    async list(prefix) {
      checkPrefix(prefix)
      const found: string[] = []
      await naming(prefix, () => walk(folder, prefix.slice(0, prefix.lastIndexOf("/") + 1), prefix, found))
      return found.sort()
    },

    /** Takes the folders it emptied away with it. */
    async delete(key) {
      checkKey(key)
      const path = join(folder, key)
      await naming(key, async () => {
        if ((await etagAt(path)) === undefined) return
        await exclusively(key, async () => {
          await ifThere(() => unlink(path))
        })
        for (let parent = dirname(key); parent !== "."; parent = dirname(parent)) {
          if (!(await removeIfEmpty(join(folder, parent)))) return
        }
      })
    },
  }
}

/** Writes through to the disk, so that after a power cut a name never leads to an empty file. */
async function writeDraft(path: string, bytes: Uint8Array): Promise<string> {
  const file = await open(path, "wx")
  try {
    await file.writeFile(bytes)
    // File systems keep time in ticks of milliseconds and use inode numbers again, so two versions could look
    // alike: the fraction of the second is drawn by lot instead.
    const now = Math.floor(Date.now() / 1000)
    await file.utimes(now, now + Math.random())
    await file.sync()
    return etagOf(await file.stat({ bigint: true }))
  } finally {
    await file.close()
  }
}

/** A file is never written again once it has its name, so these three name its contents without reading them. */
function etagOf({ mtimeNs, size, ino }: BigIntStats): string {
  return [mtimeNs, size, ino].map((n) => n.toString(36)).join("-")
}

function etagAt(path: string): Promise<string | undefined> {
  return ifThere(async () => {
    const found = await stat(path, { bigint: true })
    return found.isFile() ? etagOf(found) : undefined
  })
}

/** Collects the keys below `at` (empty, or a key and a slash) that start with `prefix`. */
async function walk(folder: string, at: string, prefix: string, found: string[]): Promise<void> {
  const entries = await ifThere(() => readdir(join(folder, at), { withFileTypes: true }))
  for (const entry of entries ?? []) {
    const key = at + entry.name
    if (!key.startsWith(prefix) || !isKey(key)) continue
    if (entry.isDirectory()) await walk(folder, `${key}/`, prefix, found)
    else if (entry.isFile()) found.push(key)
  }
}

async function removeAbandoned(temporary: string): Promise<void> {
  for (const name of await readdir(temporary)) {
    const path = join(temporary, name)
    const found = await ifThere(() => stat(path))
    if (found && Date.now() - found.mtimeMs > abandonedMs) await rm(path, { force: true })
  }
}

async function removeIfEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder)
    return true
  } catch (thrown) {
    if (isCode(thrown, "ENOTEMPTY", "EEXIST", "ENOENT")) return false
    throw thrown
  }
}
