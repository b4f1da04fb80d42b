import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { onTestFinished } from "vitest"

export const root = resolve(import.meta.dirname, "../..")
const bin = join(root, "functions/voxkin.mjs")

export interface Run {
  code: number | null
  /** The JSON lines of stdout. */
  // biome-ignore lint/suspicious/noExplicitAny: the tests look into them
  lines: Record<string, any>[]
  stdout: string
  stderr: string
}

/** A folder of its own for one test, removed when the test ends. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "voxkin-test-"))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Starts the real command line in a process of its own, from the repository's root. */
export function start(args: string[], env: Record<string, string> = {}): ChildProcess {
  const options = { cwd: root, env: { ...process.env, ...env } }
  return spawn(process.execPath, [bin, ...args], { ...options, stdio: ["ignore", "pipe", "pipe"] })
}

/** Runs the real command line to its end. */
export function voxkin(...args: string[]): Promise<Run> {
  return ended(start(args))
}

export async function ended(child: ChildProcess): Promise<Run> {
  let stdout = ""
  let stderr = ""
  child.stdout?.on("data", (text) => {
    stdout += text
  })
  child.stderr?.on("data", (text) => {
    stderr += text
  })
  const code = await new Promise<number | null>((done) => child.once("close", done))
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"))
  return { code, stdout, stderr, lines: lines.map((line) => JSON.parse(line)) }
}
