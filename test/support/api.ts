import { join } from "node:path"
import { onTestFinished } from "vitest"
import { type AppOptions, createApp } from "#functions/api/app.ts"
import { apiPorts, localJobs } from "#functions/local.ts"
import { tempFolder } from "./voxkin.ts"

// biome-ignore lint/suspicious/noExplicitAny: the tests look into answers
type Json = any

/** The real app on a folder and a queue of its own, both gone when the test ends. */
export function api(options: AppOptions = {}, data = tempFolder()) {
  const bugs: string[] = []
  const jobs = localJobs({ data })
  const ports = apiPorts({ data }, jobs)
  const app = createApp(ports, { log: (line) => bugs.push(line), ...options })
  onTestFinished(() => jobs.close())

  async function call(
    method: string,
    path: string,
    body?: Uint8Array | object,
    headers: Record<string, string> = {},
  ) {
    const bytes = body instanceof Uint8Array
    const response = await app.request(`http://127.0.0.1:8787${path}`, {
      method,
      headers: {
        ...(body ? { "content-type": bytes ? "application/octet-stream" : "application/json" } : {}),
        ...headers,
      },
      body: bytes ? new Uint8Array(body) : body && JSON.stringify(body),
    })
    const text = await response.text()
    const json: Json = response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : undefined
    return { status: response.status, json, text, headers: response.headers }
  }

  /** Follows a job's events to its end, as a client would, and returns the job. */
  async function finished(job: string): Promise<Json> {
    const { text } = await call("GET", `/v1/jobs/${job}/events`)
    const events = text.split("\n").filter((line) => line.startsWith("data: "))
    return JSON.parse(events.at(-1)!.slice("data: ".length))
  }

  return { app, ports, bugs, call, finished, data, queue: join(data, "queue") }
}
