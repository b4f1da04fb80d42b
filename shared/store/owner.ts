import { execFile } from "node:child_process"
import { randomBytes } from "node:crypto"
import { readFile } from "node:fs/promises"
import { hostname } from "node:os"
import { promisify } from "node:util"

/**
 * A process, told apart from a later one that got the same number: by when it started, in a unit of the system's
 * own. Two records name the same process when all three fields agree.
 */
export interface Owner {
  host: string
  pid: number
  start: string
}

const host = hostname()
let self: Promise<Owner> | undefined

export function thisProcess(): Promise<Owner> {
  self ??= startOf(process.pid).then((start) => ({ host, pid: process.pid, start: start ?? "" }))
  return self
}

/** The process that has this number now; undefined when none has, or it is only a zombie. */
export async function processOf(pid: number): Promise<Owner | undefined> {
  const start = await startOf(pid)
  return start === undefined ? undefined : { host, pid, start }
}

/** Undefined when it runs on another machine, of which we cannot know. */
export async function isAlive(owner: Owner): Promise<boolean | undefined> {
  if (owner.host !== host) return undefined
  return (await startOf(owner.pid)) === owner.start
}

async function startOf(pid: number): Promise<string | undefined> {
  return process.platform === "linux" ? startOnLinux(pid) : startByPs(pid)
}

/** `proc(5)`: after the name in parentheses come the state (field 3) and, in field 22, the start in clock ticks. */
async function startOnLinux(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8")
    return fields[0] === "Z" || fields[0] === "X" ? undefined : `${boot.slice(0, 8)}.${fields[19]}`
  } catch (thrown) {
    if (isCode(thrown, "ENOENT", "ESRCH")) return undefined
    throw thrown
  }
}

async function startByPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "stat=,lstart=", "-p", String(pid)])
    const [state, ...start] = stdout.trim().split(/\s+/)
    return state.startsWith("Z") ? undefined : start.join("_")
  } catch (thrown) {
    // ps ends with 1 when there is no such process
    if (thrown instanceof Error && "code" in thrown && thrown.code === 1) return undefined
    throw thrown
  }
}

/** Names one act of a process, never the same twice. */
export function newNonce(): string {
  return randomBytes(8).toString("hex")
}

/** Whether what was thrown is a system error with one of these codes. */
export function isCode(thrown: unknown, ...codes: string[]): boolean {
  return thrown instanceof Error && "code" in thrown && codes.includes(String(thrown.code))
}
