import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { describe, expect, onTestFinished, test, vi } from "vitest"
import { phantom } from "#functions/demo/phantom.ts"
import { startServer } from "#functions/serve.ts"
import { diskStore } from "#shared/store/disk.ts"
import { writeNifti } from "#shared/volume/nifti-write.ts"
import { until } from "#test/contracts/job-queue.ts"
import { ended, start, tempFolder } from "#test/support/voxkin.ts"

async function serve(options: { data?: string; host?: string } = {}) {
  const data = options.data ?? tempFolder()
  const server = await startServer({ data, host: options.host ?? "127.0.0.1", port: 0 })
  onTestFinished(() => server.close())
  return {
    ...server,
    data,
    port: Number(new URL(server.url).port),
    objects: diskStore(join(data, "objects")),
  }
}

/** Sends bytes as they are and gives what comes back until the server closes, or we do after `ms`. */
function raw(port: number, text: string, ms = 2000): Promise<string> {
  return new Promise((done) => {
    let answer = ""
    const socket = connect(port, "127.0.0.1", () => socket.write(text))
    socket.on("data", (bytes) => {
      answer += bytes
    })
    socket.on("close", () => done(answer))
    setTimeout(() => socket.destroy(), ms).unref()
  })
}

describe("a server", () => {
  test.each([
    ["an unknown method", "FOO / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400, "malformed"],
    ["what is no HTTP", "\x16\x03\x01\r\n\r\n", 400, "malformed"],
    [
      "a host that is none",
      "GET /v1/cohorts HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
      400,
      "malformed",
    ],
    [
      "an endless address",
      `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
      431,
      "headers-too-large",
    ],
  ])("answers %s with a problem", async (_, text, status, code) => {
    const { port } = await serve()
    const answer = await raw(port, text)
    expect(answer).toContain(`HTTP/1.1 ${status} `)
    expect(answer).toContain("content-type: application/problem+json")
    expect(
      JSON.parse(answer.slice(answer.lastIndexOf("\r\n\r\n{") + 4).replace(/}[^}]*$/, "}")),
    ).toMatchObject({ status, code })
  })

  test("answers a foreign name that begins like loopback with 403", async () => {
    const { port } = await serve()
    for (const host of ["127.0.0.1.example.org", "127.example.org", "localhost.example.org"]) {
      const answer = await raw(
        port,
        `GET /v1/cohorts HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: close\r\n\r\n`,
      )
      expect(answer, host).toContain("HTTP/1.1 403 ")
    }
  })

  test("an upload that breaks off leaves nothing and is no bug", async () => {
    const log = vi.spyOn(console, "error")
    onTestFinished(() => log.mockRestore())
    const { port, objects, url } = await serve()
    const head = "POST /v1/series?cohort=c HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    for (const framing of [
      "Content-Length: 20000000\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n1312d00\r\n",
    ]) {
      const socket = connect(port, "127.0.0.1", () => socket.write(head + framing + "x".repeat(9_000_000)))
      await until(async () => (await objects.list("uploads/")).length > 0)
      socket.destroy()
      await until(async () => (await objects.list("")).length === 0)
    }
    expect((await (await fetch(`${url}/v1/jobs`)).json()).jobs).toEqual([])
    expect(log).not.toHaveBeenCalled()
  })

  test("answers on ::1 with a url that can be called", async () => {
    const { url } = await serve({ host: "::1" })
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/)
    expect((await fetch(`${url}/v1/cohorts`)).status).toBe(200)
  })

  test.each([99_999, -1])("a port that is none, %i, is a fault", async (port) => {
    const starting = startServer({ data: tempFolder(), host: "127.0.0.1", port })
    await expect(starting).rejects.toMatchObject({ code: "cannot-listen" })
  })

  test("starts, and says so, whatever is damaged in its queue and its jobs", async () => {
    const { url, data, close } = await serve()
    const upload = await fetch(`${url}/v1/series?cohort=c`, { method: "POST", body: "no scan" })
    const { job } = await upload.json()
    await (await fetch(`${url}/v1/jobs/${job}/events`)).text()
    await close()
    const log = vi.spyOn(console, "error")
    onTestFinished(() => log.mockRestore())
    for (const path of [`queue/${job}.json`, `objects/jobs/${job}/job.json`]) {
      const kept = readFileSync(join(data, path))
      writeFileSync(join(data, path), "{")
      const again = await serve({ data })
      const { jobs, damaged } = await (await fetch(`${again.url}/v1/jobs`)).json()
      expect(jobs.length + damaged.length).toBe(1)
      await again.close()
      writeFileSync(join(data, path), kept)
    }
    expect(log).not.toHaveBeenCalled()
  })
})

test("a server that is killed in the middle of a job goes on when it is started again, and does it once", async () => {
  const data = tempFolder()
  async function open() {
    const child = start(["serve", "--port", "0", "--data", data])
    onTestFinished(() => void child.kill("SIGKILL"))
    const url = await new Promise<string>((done) => {
      child.stderr!.on("data", (text) => {
        const found = /http:\/\/\S+?:\d+/.exec(String(text))
        if (found) done(found[0])
      })
    })
    return { child, url, over: ended(child) }
  }
  const first = await open()
  const body = gzipSync(writeNifti(phantom(1).volume), { level: 1 })
  const { job } = await (await fetch(`${first.url}/v1/series?cohort=c`, { method: "POST", body })).json()
  await until(async () => (await (await fetch(`${first.url}/v1/jobs/${job}`)).json()).state === "running")
  first.child.kill("SIGKILL")
  await first.over

  const second = await open()
  const events = await (await fetch(`${second.url}/v1/jobs/${job}/events`)).text()
  expect(JSON.parse(events.slice(events.lastIndexOf("data: ") + 6))).toMatchObject({
    state: "succeeded",
    result: { series: [{ status: "embedded" }] },
  })
  second.child.kill("SIGTERM")
  expect((await second.over).code).toBe(0)
  expect(await diskStore(join(data, "objects")).list("uploads/")).toEqual([])
  expect(readdirSync(join(data, "scratch"))).toEqual([])
})
