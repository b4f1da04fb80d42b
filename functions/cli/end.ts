import type { Output } from "./output.ts"

/**
 * Ctrl-C and SIGTERM end a command at once: objects are written whole or not at all, so nothing needs finishing.
 * `process.exit` would wait for the encoder's thread, minutes with a large one; the signal itself does not.
 */
export function endAtOnce(out: Output): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      out.progress("")
      out.remark("stopped; what was finished is kept, and the same command goes on from there")
      // What is taken away at exit, unpacked zips, is taken away now.
      process.emit("exit", signal === "SIGINT" ? 130 : 143)
      process.kill(process.pid, signal)
    })
  }
}

/** A reader that has seen enough (`| head -1`) ends us without a word, as SIGPIPE does other programs. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(141)
      if (stream === process.stdout)
        process.stderr.write(`voxkin: the answer cannot be written: ${error.message} [cannot-write]\n`)
      process.exit(2)
    })
  }
}
