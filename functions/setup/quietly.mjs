import { spawn } from "node:child_process"
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs"
import { dirname, relative } from "node:path"

/**
 * Runs a program with its output in the file `log` and one progress line on stderr: "title … 12 s".
 * `onStart` is told its process id.
 * @returns the exit code; Ctrl-C and SIGTERM end the program and this process too
 */
export async function quietly(title, [program, ...args], { cwd, env, log, onStart = () => {} }) {
  mkdirSync(dirname(log), { recursive: true })
  const out = openSync(log, "w")
  const started = Date.now()
  const line = () => `${title} … ${Math.round((Date.now() - started) / 1000)} s`
  const terminal = process.stderr.isTTY
  process.stderr.write(terminal ? line() : `${title} …`)
  const tick = terminal && setInterval(() => process.stderr.write(`\r${line()}`), 1000)

  const child = spawn(program, args, { cwd, env, stdio: ["ignore", out, out] })
  onStart(child.pid)
  let stopped
  // We end only after the program: npm takes a moment, and its files must not be touched by the next set-up until then.
  const stop = (signal) => {
    stopped = signal
    child.kill(signal)
    setTimeout(() => child.kill("SIGKILL"), 3000).unref()
  }
  process.on("SIGINT", stop).on("SIGTERM", stop)
  const code = await new Promise((resolve) => {
    child.once("error", (error) => resolve(error.code === "ENOENT" ? 127 : 126))
    child.once("close", (exit) => resolve(exit ?? 1))
  })
  process.off("SIGINT", stop).off("SIGTERM", stop)
  clearInterval(tick)
  closeSync(out)
  process.stderr.write(terminal ? `\r${line()}\n` : `${line().slice(title.length + 2)}\n`)
  if (stopped) process.exit(stopped === "SIGINT" ? 130 : 143)
  return code
}

/** What a failed program said last, and where the rest is. */
export function tail(log, cwd, lines = 20) {
  const text = readFileSync(log, "utf8").trimEnd().split("\n").slice(-lines).join("\n")
  return `${text}\n(the whole log: ${relative(cwd, log)})`
}
