import { createReadStream } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { pipeline } from "node:stream"
import { constants, createInflateRaw, inflateRawSync } from "node:zlib"
import { Fault } from "#shared/errors.ts"

/** The bytes of one object, read piece by piece: a file, or the inflated content of a deflated one. */
export interface Bytes {
  size: number
  /** @throws Fault `truncated-file` when the bytes end before offset + length */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** Opens a file for the time `use` takes. */
export async function withFile<T>(path: string, use: (bytes: Bytes) => Promise<T>): Promise<T> {
  const handle = await open(path)
  try {
    const { size } = await handle.stat()
    return await use({ size, read: (offset, length) => readExactly(handle, size, offset, length) })
  } finally {
    await handle.close()
  }
}

async function readExactly(file: FileHandle, size: number, offset: number, length: number): Promise<Buffer> {
  if (offset + length > size) throw truncated()
  const buffer = Buffer.allocUnsafe(length)
  for (let filled = 0; filled < length; ) {
    // One read moves at most 2 GiB, and a network file system may give less than was asked for.
    const { bytesRead } = await file.read(buffer, filled, Math.min(length - filled, 2 ** 30), offset + filled)
    if (bytesRead === 0) throw truncated()
    filled += bytesRead
  }
  return buffer
}

function truncated(): Fault {
  const message = "the file ends before its pixels do: copy it again from its source"
  return new Fault("invalid", "truncated-file", message)
}

/** Bytes that inflated header elements may take; a real header is a few kilobytes, a large enhanced one megabytes. */
const headerLimit = 2 ** 26

/**
 * Inflates as much as a piece of a deflated dataset holds.
 * @throws Fault `damaged-header` when it is no deflate, or takes more than 64 MiB
 */
export function inflateHead(piece: Uint8Array): Uint8Array {
  try {
    return inflateRawSync(piece, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: headerLimit })
  } catch (cause) {
    const message = "the deflated dataset cannot be inflated: copy it again from its source"
    throw new Fault("invalid", "damaged-header", message, { cause })
  }
}

/** Inflates the dataset that starts at `start` of the file, and stops after `until` bytes whatever else would follow. */
export async function inflated(path: string, start: number, until: number): Promise<Bytes> {
  const out = Buffer.allocUnsafe(until)
  let size = 0
  const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH })
  // An error on either side reaches the loop below: nothing is left to do in the callback.
  pipeline(createReadStream(path, { start }), inflate, () => {})
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      size += chunk.copy(out, size)
      if (size === until) break
    }
  } catch (cause) {
    const message = "the deflated pixels cannot be inflated: copy the file again from its source"
    throw new Fault("invalid", "damaged-pixels", message, { cause })
  }
  return {
    size,
    read: async (offset, length) => {
      if (offset + length > size) throw truncated()
      return out.subarray(offset, offset + length)
    },
  }
}
