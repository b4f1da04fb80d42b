import { type BigIntStats, close, fstat, open, read } from "node:fs"
import { promisify } from "node:util"
import type { ByteRange } from "./store.ts"

// By descriptor: handles, which can be sent to threads, take longer to make than a small file to read.
const [openFile, statFile, readFile] = [promisify(open), promisify(fstat), promisify(read)]

/** Asked for together with the size, since many objects are no larger: one turn of the disk's threads instead of two. */
const firstRead = 16_384

/** The bytes of a file, or a range of them, as far as it goes; undefined of what is no file. */
export async function readFrom(
  path: string,
  { start, end, into }: ByteRange = { start: 0, end: Number.POSITIVE_INFINITY },
): Promise<{ bytes: Uint8Array<ArrayBuffer>; stats: BigIntStats } | undefined> {
  const file = await openFile(path, "r")
  try {
    const first = into?.subarray(0, end - start) ?? new Uint8Array(Math.min(end - start, firstRead))
    const [stats, begun] = await Promise.all([
      statFile(file, { bigint: true }),
      // Of a folder nothing can be read, and that is no error.
      readInto(file, first, start, 0).catch((thrown: Error) => thrown),
    ])
    if (!stats.isFile()) return undefined
    if (begun instanceof Error) throw begun
    const length = Math.max(0, Math.min(end, Number(stats.size)) - start)
    let bytes = first.subarray(0, length)
    if (length > first.length) {
      bytes = new Uint8Array(length)
      bytes.set(first.subarray(0, begun))
    }
    for (let done = begun; done < length; ) {
      const bytesRead = await readInto(file, bytes, start, done)
      if (bytesRead === 0) throw new Error("the file became shorter while it was read")
      done += bytesRead
    }
    return { bytes, stats }
  } finally {
    // Nobody waits for the end: nothing that was only read can be lost by it.
    close(file, () => {})
  }
}

/** How many bytes were read to where `bytes` is filled up to `done`. */
async function readInto(file: number, bytes: Uint8Array, start: number, done: number): Promise<number> {
  // One read(2) gives at most 2 GiB.
  const length = Math.min(bytes.length - done, 2 ** 30)
  return (await readFile(file, bytes, done, length, start + done)).bytesRead
}
