import { createWriteStream } from "node:fs"
import { mkdir } from "node:fs/promises"
import { dirname, join } from "node:path"
import { Transform } from "node:stream"
import { pipeline } from "node:stream/promises"
import yauzl, { type Entry, type ZipFile } from "yauzl"
import { Fault, reason } from "#shared/errors.ts"
import { limits } from "./volume.ts"

/** Below this a zip may expand as it likes: 100 MB of one colour are no attack. */
const harmlessBytes = 10 ** 8
/** CT compresses 2 to 4 times; deflate can reach 1032 times, on a body of zeros. */
const mostRatio = 100

/** True if a file that begins with `head` (4 bytes or more) is a zip, an empty one included. APPNOTE 4.3.7, 4.3.16 */
export function isZip(head: Uint8Array): boolean {
  const signature = Buffer.from(head.subarray(0, 4)).toString("latin1")
  return signature === "PK\x03\x04" || signature === "PK\x05\x06"
}

/**
 * Extracts a zip into an existing folder, under the entries' own relative paths. Bytes are counted as they are
 * inflated, whatever the zip promises, and it stops at once beyond a limit. Memory: a few chunks; disk: what the
 * entries expand to, at most `most.expandedBytes`. What was extracted before a fault is left to the caller to remove.
 * @throws Fault `too-many-entries`, `zip-bomb`, `encrypted-zip`, `unsafe-zip`, `damaged-zip`
 */
export async function extractZip(path: string, into: string, most = limits): Promise<void> {
  const zip = await openZip(path)
  try {
    if (zip.entryCount > most.zipEntries) {
      const message = `the zip holds ${zip.entryCount} entries, the limit is ${most.zipEntries}: split it`
      throw new Fault("too_large", "too-many-entries", message)
    }
    let expanded = 0
    const count = (bytes: number) => {
      expanded += bytes
      const bomb = expanded > harmlessBytes && expanded > mostRatio * zip.fileSize
      if (!bomb && expanded <= most.expandedBytes) return
      const why = bomb ? `more than ${mostRatio} times its size` : `more than ${most.expandedBytes} bytes`
      throw new Fault("too_large", "zip-bomb", `the zip expands to ${why}: split it, or give the folder`)
    }
    for await (const entry of zip.eachEntry()) await extractEntry(zip, entry, into, count)
  } catch (thrown) {
    throw thrown instanceof Fault ? thrown : zipFault(thrown)
  } finally {
    zip.close()
  }
}

async function openZip(path: string): Promise<ZipFile> {
  try {
    return await yauzl.openPromise(path, { lazyEntries: true, autoClose: false })
  } catch (thrown) {
    throw zipFault(thrown)
  }
}

async function extractEntry(
  zip: ZipFile,
  entry: Entry,
  into: string,
  count: (bytes: number) => void,
): Promise<void> {
  if (entry.fileName.endsWith("/")) return
  if (entry.isEncrypted()) {
    throw new Fault("invalid", "encrypted-zip", "the zip is encrypted: send it without a password")
  }
  // yauzl has refused absolute paths, backslashes and "..".
  const target = join(into, entry.fileName)
  await mkdir(dirname(target), { recursive: true })
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        count(chunk.length)
        done(null, chunk)
      } catch (error) {
        done(error as Error)
      }
    },
  })
  // "wx": an entry that names another one's file is damage or malice.
  await pipeline(await zip.openReadStreamPromise(entry), counted, createWriteStream(target, { flags: "wx" }))
}

/** yauzl throws plain errors, the file system ones with a code; a full disk is neither the zip's fault nor ours. */
function zipFault(thrown: unknown): unknown {
  const { code } = thrown as NodeJS.ErrnoException
  if (code === "ENOSPC" || code === "EACCES" || code === "EMFILE" || code === "EIO") return thrown
  if (/relative path|absolute path|invalid characters/.test(reason(thrown))) {
    const message =
      "the zip has an entry that points outside of it: pack the files again, with relative names"
    return new Fault("invalid", "unsafe-zip", message, { cause: thrown })
  }
  const message = "the zip is damaged: pack the files again"
  return new Fault("invalid", "damaged-zip", message, { cause: thrown })
}
