import { z } from "@hono/zod-openapi"
import type { Context } from "hono"
import { HTTPException } from "hono/http-exception"
import type { ContentfulStatusCode } from "hono/utils/http-status"
import { Fault, type FaultKind } from "#shared/errors.ts"
import { isCode } from "#shared/store/owner.ts"

const status: Record<FaultKind, ContentfulStatusCode> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  missing: 404,
  conflict: 409,
  too_large: 413,
  unavailable: 503,
}

const title: Record<FaultKind, string> = {
  invalid: "The request cannot be understood",
  unauthorized: "An API key is needed",
  forbidden: "Not allowed",
  missing: "Not found",
  conflict: "It does not fit what is there",
  too_large: "Too large",
  unavailable: "Not available now",
}

/** RFC 9457. `code` is a stable word to search for. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    requestId: z.string(),
  })
  .openapi("Problem")
export type Problem = z.infer<typeof Problem>

/** Turns whatever a handler threw into a problem; what is no fault is logged whole and answered bare. */
export function problem(thrown: unknown, c: Context, log: (line: string) => void): Response {
  const requestId = c.get("requestId")
  const fault = thrown instanceof HTTPException ? fromHono(thrown) : isCut(thrown, c) ? cut : thrown
  if (fault instanceof Fault) {
    return answer(c, {
      status: status[fault.kind],
      title: title[fault.kind],
      detail: fault.message,
      code: fault.code,
      requestId,
    })
  }
  const trace = thrown instanceof Error ? thrown.stack : String(thrown)
  log(JSON.stringify({ level: "error", requestId, method: c.req.method, route: c.req.routePath, trace }))
  const detail = `something broke inside; report request ${requestId}`
  return answer(c, { status: 500, title: "A bug of voxkin", detail, code: "internal", requestId })
}

function answer(c: Context, body: Omit<Problem, "type">): Response {
  const headers: Record<string, string> = { "content-type": "application/problem+json" }
  if (body.status === 401) headers["www-authenticate"] = "Bearer"
  if (body.status === 503) headers["retry-after"] = "5"
  return c.body(asProblem(body), body.status as ContentfulStatusCode, headers)
}

export function asProblem(body: Omit<Problem, "type">): string {
  return JSON.stringify({ type: "about:blank", ...body } satisfies Problem)
}

/** The caller hung up before its body was here: no bug of ours, and nobody is left to read the answer. */
function isCut(thrown: unknown, c: Context): boolean {
  return isCode(thrown, "ECONNRESET") && c.req.raw.signal.aborted
}

const cut = new Fault("invalid", "body-cut", "the connection ended before the body did: send it again")

/** Hono's own refusals: malformed JSON, a wrong content type. */
function fromHono({ status, message }: HTTPException): Fault {
  if (status === 413) return new Fault("too_large", "too-large", message)
  if (status === 415) return new Fault("invalid", "content-type", "send the body as application/json")
  return new Fault("invalid", "malformed", message)
}

type Issue = Pick<z.core.$ZodIssue, "path" | "message">

/** Of a union, what is wrong with the alternative that the caller seems to have meant. */
function telling(issue: z.core.$ZodIssue): Issue {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue
  const foreign = (issues: z.core.$ZodIssue[]) => issues.some(({ code }) => code === "unrecognized_keys")
  const [meant] = issue.errors.toSorted(
    (a, b) => Number(foreign(a)) - Number(foreign(b)) || a.length - b.length,
  )
  const { path, message } = telling(meant[0])
  return { path: [...issue.path, ...path], message }
}

/** What zod found wrong with a request, as one fault that names the place. */
export function invalid(target: string, error: z.ZodError): Fault {
  const { path, message } = telling(error.issues[0])
  const where = path.length > 0 ? `${target} '${path.join(".")}'` : target
  return new Fault("invalid", "bad-request", `${where}: ${message}`)
}
