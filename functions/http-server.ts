import { randomUUID } from "node:crypto"
import { createServer, type Server, STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"
import { getRequestListener } from "@hono/node-server"
import { Fault, reason } from "#shared/errors.ts"
import { isCode } from "#shared/store/owner.ts"
import { asProblem } from "./api/faults.ts"

export interface Place {
  host: string
  port: number
  /** How long a request may take to arrive, in ms. */
  requestTimeout: number
}

type Fetch = Parameters<typeof getRequestListener>[0]

/**
 * Listens for the app. What is no HTTP never reaches the app, and is answered with a problem all the same.
 * @throws Fault `invalid` / `cannot-listen`
 */
export async function openServer(fetch: Fetch, { host, port, requestTimeout }: Place): Promise<Server> {
  const listener = getRequestListener(fetch, {
    hostname: host,
    errorHandler: (thrown) => {
      const { status, body } = refusal(400, reason(thrown))
      return new Response(body, { status, headers: { "content-type": "application/problem+json" } })
    },
  })
  const server = createServer({ requestTimeout }, listener)
  server.on("clientError", refuse)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject)
      server.listen(port, host, resolve)
    })
  } catch (cause) {
    const message = `cannot listen on ${host}:${port}: ${reason(cause)}; try another --port`
    throw new Fault("invalid", "cannot-listen", message, { cause })
  }
  return server
}

function refuse(thrown: Error, socket: Duplex): void {
  if (isCode(thrown, "ECONNRESET") || !socket.writable) {
    socket.destroy()
    return
  }
  const late = isCode(thrown, "ERR_HTTP_REQUEST_TIMEOUT")
  const { status, body } = refusal(late ? 408 : isCode(thrown, "HPE_HEADER_OVERFLOW") ? 431 : 400)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n` +
      `content-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

const words: Record<number, [code: string, detail: string]> = {
  400: ["malformed", "this is not HTTP as the server understands it"],
  408: ["too-slow", "the request took too long to arrive: send it again"],
  431: [
    "headers-too-large",
    "the address and the headers have more than 16 KiB: put long values into the body",
  ],
}

function refusal(status: 400 | 408 | 431, why?: string): { status: number; body: string } {
  const [code, detail] = words[status]
  const title = STATUS_CODES[status] ?? ""
  return { status, body: asProblem({ status, title, detail: why ?? detail, code, requestId: randomUUID() }) }
}
