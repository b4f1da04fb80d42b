import { spawn } from "node:child_process"
import { resolve } from "node:path"
import { createInterface } from "node:readline"

export interface ServerProcess {
  url: string
  stop(): void
}

/** `voxkin serve` on a free port, in a process of its own: client and server would share one event loop otherwise. */
export function startServerProcess(data: string): Promise<ServerProcess> {
  const program = resolve(import.meta.dirname, "../../../functions/voxkin.mjs")
  return started([program, "serve", "--port", "0", "--data", data])
}

/** A server that does nothing but answer this, in a process of its own. */
export function startBareServer(answer: object): Promise<ServerProcess> {
  return started(["--import", "tsx", resolve(import.meta.dirname, "bare.ts"), JSON.stringify(answer)])
}

async function started(args: string[]): Promise<ServerProcess> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] })
  for await (const line of createInterface({ input: child.stderr })) {
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(line)
    if (found) return { url: found[0], stop: () => void child.kill() }
  }
  throw new Error("the server ended before it listened")
}

/** Posts JSON to the API. @throws Error for any answer but 200 */
export async function post(url: string, path: string, body: object) {
  const headers = { "content-type": "application/json" }
  const response = await fetch(`${url}/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${response.status} ${text.slice(0, 300)}`)
  return JSON.parse(text)
}
