import { type ChildProcess, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { delimiter, join, resolve } from "node:path"

/** Where `moto_server` lies: on the PATH, or in the `.venv` beside package.json. */
export const motoServer = [
  ...(process.env.PATH ?? "").split(delimiter),
  resolve(import.meta.dirname, "../../.venv/bin"),
]
  .map((folder) => join(folder, "moto_server"))
  .find((path) => existsSync(path))

/** Why a suite is skipped without it; part of its name. */
export const needsMoto = motoServer ? "" : " (skipped: no moto_server, see pip install 'moto[server]')"

export interface Moto {
  url: string
  /** What an AWS client wants to be told. moto checks no signature. */
  aws: {
    endpoint: string
    region: string
    credentials: { accessKeyId: string; secretAccessKey: string }
  }
  /** Forgets everything. */
  reset(): Promise<void>
  stop(): Promise<void>
}

/** Starts AWS on a free port of loopback. Its Batch lets jobs succeed without running anything. */
export async function startMoto(): Promise<Moto> {
  const server = spawn(motoServer!, ["-H", "127.0.0.1", "-p", "0"], { stdio: ["ignore", "pipe", "pipe"] })
  const url = await addressOf(server)
  const post = async (path: string, body?: unknown) => {
    const answer = await fetch(`${url}/moto-api/${path}`, { method: "POST", body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`moto answered ${answer.status} to ${path}`)
  }
  await post("config", { batch: { use_docker: false } })
  return {
    url,
    aws: {
      endpoint: url,
      region: "eu-central-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    },
    reset: () => post("reset"),
    stop: () => ended(server),
  }
}

/** Reads the address from what the server prints, for 30 s at most. */
function addressOf(server: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    let printed = ""
    const fail = () => {
      server.kill("SIGKILL")
      failed(new Error(`moto_server did not start: ${printed}`))
    }
    const timer = setTimeout(fail, 30_000)
    server.on("exit", fail)
    server.on("error", failed)
    for (const stream of [server.stdout!, server.stderr!]) {
      stream.on("data", (chunk) => {
        if (printed.length < 10_000) printed += chunk
        const url = /Running on (http:\/\/[\d.]+:\d+)/.exec(printed)?.[1]
        if (!url) return
        clearTimeout(timer)
        server.off("exit", fail)
        found(url)
      })
    }
  })
}

function ended(server: ChildProcess): Promise<void> {
  return new Promise((done) => {
    server.on("exit", () => done())
    server.kill("SIGTERM")
    setTimeout(() => server.kill("SIGKILL"), 5000).unref()
  })
}
