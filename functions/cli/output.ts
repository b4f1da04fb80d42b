import type { CommanderError } from "commander"
import { Fault } from "#shared/errors.ts"

/** Where a command writes: lines for machines or words for people on stdout, everything else on stderr. */
export interface Output {
  json: boolean
  /** One result: the value as a JSON line, or the words made of it. */
  result<T>(value: T, words: (value: T) => string): void
  /** A remark that is no result. */
  remark(text: string): void
  /** Shows how far it is, on a terminal only; an empty text clears the line. */
  progress(text: string): void
}

export function output(json: boolean): Output {
  const terminal = process.stderr.isTTY === true
  const clear = terminal ? "\r\u001b[2K" : ""
  return {
    json,
    result(value, words) {
      if (clear) process.stderr.write(clear)
      process.stdout.write(`${json ? JSON.stringify(value) : words(value)}\n`)
    },
    remark(text) {
      process.stderr.write(`${clear}${text}\n`)
    },
    progress(text) {
      if (!terminal) return
      const width = (process.stderr.columns ?? 80) - 1
      process.stderr.write(`${clear}${text.length > width ? `${text.slice(0, width - 1)}…` : text}`)
    },
  }
}

/** A bar of `done` out of `total`, with its numbers. */
export function bar(done: number, total: number, text: string): string {
  const width = 24
  const filled = total > 0 ? Math.round((width * done) / total) : 0
  return `${"█".repeat(filled)}${"░".repeat(width - filled)} ${done}/${total} ${text}`
}

/**
 * Says what went wrong and returns the exit code: 2 for a fault, 70 for a bug of ours.
 * With `json`, a fault is also a line on stdout, so that a script need not read stderr.
 */
export function fail(thrown: unknown, json: boolean): number {
  if (thrown instanceof Fault) {
    const { kind, code, message } = thrown
    if (json) process.stdout.write(`${JSON.stringify({ fault: { kind, code, message } })}\n`)
    process.stderr.write(`voxkin: ${message} [${code}]\n`)
    return 2
  }
  const trace = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  process.stderr.write(`voxkin: this is a bug of voxkin, please report it:\n${trace}\n`)
  return 70
}

/** Commander has said on stderr what is wrong with the arguments; help and version, which it throws too, end with 0. */
export function failArguments({ exitCode, code, message }: CommanderError, json: boolean): number {
  if (exitCode === 0) return 0
  const what = code === "commander.help" ? "name a command" : message.replace(/^error: /, "")
  if (json) {
    const fault = { kind: "invalid", code: "bad-arguments", message: what }
    process.stdout.write(`${JSON.stringify({ fault })}\n`)
  }
  return 2
}
