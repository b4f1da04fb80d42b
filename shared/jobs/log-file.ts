import { createWriteStream } from "node:fs"
import type { Readable } from "node:stream"

const headBytes = 1024 ** 2
const tailBytes = 64 * 1024

/**
 * Appends what the streams say to a file: the first MiB and the last 64 KiB, where the reason of a crash stands;
 * what lies between is counted. A log that cannot be written never disturbs the job.
 */
export function keepLog(path: string, streams: Readable[]): { end(last: string): Promise<void> } {
  const file = createWriteStream(path, { flags: "a" })
  let broken = false
  file.on("error", () => {
    broken = true
  })
  let written = 0
  let dropped = 0
  let tail = Buffer.alloc(0)

  const take = (chunk: Buffer) => {
    const head = chunk.subarray(0, headBytes - written)
    if (head.length > 0) file.write(head)
    written += head.length
    const all = Buffer.concat([tail, chunk.subarray(head.length)])
    tail = all.subarray(Math.max(0, all.length - tailBytes))
    dropped += all.length - tail.length
  }
  for (const stream of streams) stream.on("data", take)

  return {
    end: (last) =>
      new Promise((done) => {
        for (const stream of streams) stream.destroy()
        if (broken) return done()
        file.on("close", done)
        if (dropped > 0) file.write(`\n… ${dropped} bytes left out …\n`)
        file.end(Buffer.concat([tail, Buffer.from(last)]))
      }),
  }
}
