import { readFile } from "node:fs/promises"
import type { AddressInfo } from "node:net"
import { Fault, reason } from "#shared/errors.ts"
import { uploadMs } from "#shared/jobs/sweep.ts"
import { createApp } from "./api/app.ts"
import { openServer } from "./http-server.ts"
import { keepTidy } from "./jobs/tidy.ts"
import { apiPorts, type LocalOptions, localJobs } from "./local.ts"
import { isLoopback } from "./loopback.ts"

export interface ServeOptions extends LocalOptions {
  host: string
  port: number
  apiKeyFile?: string
}

/** Serves until the process is told to stop (SIGINT, SIGTERM); running jobs are stopped and taken up at the next start. */
export async function serve(options: ServeOptions): Promise<void> {
  const server = await startServer(options)
  const stopped = new Promise<void>((stop) => {
    process.once("SIGINT", stop)
    process.once("SIGTERM", stop)
  })
  process.stderr.write(`voxkin answers on ${server.url} (docs: ${server.url}/docs). Ctrl-C stops it.\n`)
  await stopped
  await server.close()
}

/** @throws Fault `no-api-key` for a host beyond loopback without a key, `bad-api-key`, `cannot-listen` */
export async function startServer(options: ServeOptions): Promise<{ url: string; close(): Promise<void> }> {
  const apiKey = options.apiKeyFile === undefined ? undefined : await readKey(options.apiKeyFile)
  if (apiKey === undefined && !isLoopback(options.host)) {
    throw new Fault(
      "invalid",
      "no-api-key",
      `refusing to listen on ${options.host} without an API key: give --api-key-file, or keep to 127.0.0.1`,
    )
  }
  const jobs = localJobs(options)
  const ports = apiPorts(options, jobs)
  const app = createApp(ports, { apiKey })
  const server = await openServer(app.fetch, { ...options, requestTimeout: uploadMs })
  const tidying = keepTidy(options.data, ports.objects, jobs)
  const { port } = server.address() as AddressInfo
  const host = options.host.includes(":") ? `[${options.host}]` : options.host
  return {
    url: `http://${host}:${port}`,
    async close() {
      await tidying.stop()
      await jobs.close()
      await new Promise<void>((done) => {
        server.close(() => done())
        // Event streams would keep it open for ever.
        server.closeAllConnections()
      })
    },
  }
}

async function readKey(file: string): Promise<string> {
  let text: string
  try {
    text = await readFile(file, "utf8")
  } catch (cause) {
    throw new Fault("invalid", "bad-api-key", `cannot read the API key file ${file}: ${reason(cause)}`, {
      cause,
    })
  }
  const key = text.trim()
  if (!/^[\x21-\x7e]{16,}$/.test(key)) {
    throw new Fault(
      "invalid",
      "bad-api-key",
      `${file} must hold one line of at least 16 visible ASCII characters`,
    )
  }
  return key
}
