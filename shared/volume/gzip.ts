import { type FileHandle, open } from "node:fs/promises"
import { pipeline, type Readable } from "node:stream"
import { createGunzip } from "node:zlib"
import { Fault } from "#shared/errors.ts"

/** The contents of one file, read once from front to back, inflated on the way if it is gzip. */
export interface ByteStream {
  /** The most bytes that can come out: the file's size, or 1032 times that for gzip. */
  atMost: number
  /**
   * Fills `into`; returns how many bytes that was, fewer than asked for only at the end.
   * @throws Fault `truncated-gzip`, `damaged-gzip`
   */
  read(into: Uint8Array): Promise<number>
  close(): Promise<void>
}

/** True if a file that begins with `head` (2 bytes or more) is gzip. RFC 1952 §2.3.1 */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b
}

/** Deflate spends at least one bit on 129 bytes: zlib's documented limit (zlib.net/zlib_tech.html). */
const deflateRatio = 1032
const chunkBytes = 1 << 18

/**
 * Opens a file that may be gzip, told by its first bytes and never by its name. Inflating happens on demand, so
 * memory stays at a few chunks and no more is inflated than is asked for.
 * @throws Fault `no-such-file`, `not-a-file`
 */
export async function openBytes(path: string): Promise<ByteStream> {
  const file = await openFile(path)
  const { size } = await file.stat()
  const head = new Uint8Array(2)
  await file.read(head, 0, 2, 0)
  const raw = file.createReadStream({ start: 0, highWaterMark: chunkBytes })
  if (!isGzip(head)) return fromStream(raw, size)
  const inflated = createGunzip({ chunkSize: chunkBytes })
  // An error on either side reaches whoever reads `inflated`: nothing is left to do in the callback.
  pipeline(raw, inflated, () => {})
  return fromStream(inflated, size * deflateRatio)
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    const file = await open(path)
    if ((await file.stat()).isFile()) return file
    await file.close()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error
    throw new Fault("missing", "no-such-file", "there is no such file: check its path", { cause: error })
  }
  throw new Fault("invalid", "not-a-file", "this is a folder or a device: name a file")
}

function fromStream(stream: Readable, atMost: number): ByteStream {
  const chunks: AsyncIterator<Uint8Array> = stream[Symbol.asyncIterator]()
  let left: Uint8Array = new Uint8Array()
  return {
    atMost,
    async read(into) {
      let filled = 0
      while (filled < into.length) {
        if (left.length === 0) {
          const next = await chunks.next().catch(asFault)
          if (next.done) break
          left = next.value
        }
        const take = Math.min(left.length, into.length - filled)
        into.set(left.subarray(0, take), filled)
        left = left.subarray(take)
        filled += take
      }
      return filled
    },
    async close() {
      await chunks.return?.()
    },
  }
}

/** zlib's words for the two ways a gzip stream can be wrong; anything else is no fault of the file. */
function asFault(cause: NodeJS.ErrnoException): never {
  if (cause.code === "Z_BUF_ERROR") {
    const message = "the gzip stream ends early: the file was cut, copy or download it again"
    throw new Fault("invalid", "truncated-gzip", message, { cause })
  }
  if (cause.code === "Z_DATA_ERROR") {
    const message = "the gzip stream is damaged (its data or checksum is wrong): copy or download it again"
    throw new Fault("invalid", "damaged-gzip", message, { cause })
  }
  throw cause
}
