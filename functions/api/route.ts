import { OpenAPIHono, z } from "@hono/zod-openapi"
import type { Fault } from "#shared/errors.ts"
import { CohortName, JobId, ProbeName, SeriesId } from "#shared/ids.ts"
import type { ApiPorts } from "../ports.ts"
import { invalid, Problem } from "./faults.ts"

/** Per request: the live ports and the request's id. */
export type Env = { Variables: { ports: ApiPorts; requestId: string } }

/** A sub-app whose validation errors are faults like any other. */
export function resource(): OpenAPIHono<Env> {
  return new OpenAPIHono<Env>({
    defaultHook(result) {
      if (!result.success) throw invalid(result.target, result.error)
    },
  })
}

const words = {
  400: "The request is invalid",
  404: "There is no such thing",
  409: "It does not fit what is there",
  413: "Too large",
  503: "Not available now",
} as const

/** The problems a route may answer with, for its OpenAPI entry. */
export function problems(...statuses: (keyof typeof words)[]) {
  const entry = (status: keyof typeof words) => ({
    description: words[status],
    content: { "application/problem+json": { schema: Problem } },
  })
  return Object.fromEntries(statuses.map((status) => [status, entry(status)]))
}

/**
 * A schema of ours under a name in the OpenAPI document. The copy is what has the method: schemas made before the
 * OpenAPI package was loaded do not.
 */
export function named<S extends z.ZodType>(name: string, schema: S): S {
  return (schema.clone() as S).openapi(name)
}

export function json<S extends z.ZodType>(schema: S, description: string) {
  return { description, content: { "application/json": { schema } } }
}

export function body<S extends z.ZodType>(schema: S, example: z.input<S>) {
  return { required: true, content: { "application/json": { schema, example } } }
}

/** What a list leaves out, because what is stored of it is damaged. */
export const Damaged = z
  .array(z.object({ code: z.string(), message: z.string() }))
  .openapi("Damaged", { description: "What could not be listed because its stored object is damaged." })

/** Reads a list, and notes what of it is damaged. */
export async function listing<T>(read: (onDamaged: (fault: Fault) => void) => Promise<T[]>) {
  const damaged: z.infer<typeof Damaged> = []
  const found = await read(({ code, message }) => damaged.push({ code, message }))
  return { found, damaged }
}

/** A series id for examples. */
export const someSeries = "s-0123456789abcdef0123456789abcdef"

export const Accepted = z.object({ job: JobId }).openapi("Accepted")

export const params = {
  cohort: z.object({ cohort: CohortName }),
  member: z.object({ cohort: CohortName, series: SeriesId }),
  series: z.object({ series: SeriesId }),
  probe: z.object({ name: ProbeName }),
  job: z.object({ job: JobId }),
}
