import { createHash, timingSafeEqual } from "node:crypto"
import type { MiddlewareHandler } from "hono"
import { Fault } from "#shared/errors.ts"
import { isLoopback } from "../loopback.ts"

const digest = (text: string) => createHash("sha256").update(text).digest()

/** Lets through only who sends the key as a bearer token; compared in constant time. */
export function apiKeyGuard(key: string): MiddlewareHandler {
  const expected = digest(key)
  return async (c, next) => {
    const sent = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? ""
    if (!timingSafeEqual(digest(sent), expected)) {
      throw new Fault("unauthorized", "bad-api-key", "send the API key as 'Authorization: Bearer …'")
    }
    await next()
  }
}

/**
 * Without a key, everything on this machine may call, and a web page in this machine's browser must not: a page of
 * another site names itself in `Origin`, and one that rebinds its own name to loopback names that in `Host`.
 */
export const ownPagesOnly: MiddlewareHandler = async (c, next) => {
  const here = new URL(c.req.url)
  const origin = c.req.header("origin")
  if (!isLoopback(here.hostname) || (origin !== undefined && origin !== here.origin)) {
    throw new Fault(
      "forbidden",
      "foreign-origin",
      "this server answers its own pages and programs on this machine only",
    )
  }
  await next()
}
