import { Fault } from "#shared/errors.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"

const partBytes = 8 * 2 ** 20

/** Bytes in pieces of any size, as they arrive. */
export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** Keeps the upload of a job in parts, as it arrives; returns its size in bytes. Memory: one part. */
export async function keepUpload(objects: ObjectStore, job: string, pieces: Pieces): Promise<number> {
  const part = new Uint8Array(partBytes)
  let filled = 0
  let parts = 0
  const flush = () => objects.put(keys.uploadPart(job, parts++), part.subarray(0, filled), { ifAbsent: true })
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const taken = piece.subarray(at, at + partBytes - filled)
      part.set(taken, filled)
      filled += taken.length
      at += taken.length
      if (filled < partBytes) continue
      await flush()
      filled = 0
    }
  }
  const size = parts * partBytes + filled
  if (filled > 0) await flush()
  return size
}

/**
 * The parts of an upload, in order, one in memory at a time.
 * @throws Fault `missing` / `no-upload` when there is none, or it is deleted meanwhile
 */
export async function* readUpload(objects: ObjectStore, job: string): AsyncGenerator<Uint8Array> {
  const parts = await objects.list(keys.upload(job))
  if (parts.length === 0) throw gone(job)
  for (const key of parts) {
    const part = await objects.get(key)
    if (!part) throw gone(job)
    yield part.bytes
  }
}

export async function deleteUpload(objects: ObjectStore, job: string): Promise<void> {
  for (const key of await objects.list(keys.upload(job))) await objects.delete(key)
}

/** The jobs of which an upload, or a part of one, is kept. */
export async function jobsWithUpload(objects: ObjectStore): Promise<string[]> {
  return [...new Set((await objects.list(keys.uploads)).map((key) => key.split("/")[1]))]
}

function gone(job: string): Fault {
  return new Fault("missing", "no-upload", `the upload of job ${job} is gone: send it again`)
}
