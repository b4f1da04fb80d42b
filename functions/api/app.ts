import type { OpenAPIHono } from "@hono/zod-openapi"
import { bodyLimit } from "hono/body-limit"
import { requestId } from "hono/request-id"
import { secureHeaders } from "hono/secure-headers"
import { Fault } from "#shared/errors.ts"
import { notice, version } from "../info.ts"
import type { ApiPorts } from "../ports.ts"
import { tooLarge } from "./body.ts"
import { cohorts } from "./cohorts.ts"
import { docs } from "./docs.ts"
import { problem } from "./faults.ts"
import { apiKeyGuard, ownPagesOnly } from "./guard.ts"
import { health } from "./health.ts"
import { jobs } from "./jobs.ts"
import { learningCurves } from "./learning-curves.ts"
import { members } from "./members.ts"
import { panels } from "./panels.ts"
import { plots } from "./plots.ts"
import { predictions } from "./predictions.ts"
import { probeEvaluations } from "./probe-evaluations.ts"
import { probeVersions } from "./probe-versions.ts"
import { probes } from "./probes.ts"
import { type Env, resource } from "./route.ts"
import { searches } from "./search.ts"
import { series } from "./series.ts"

export interface AppOptions {
  /** Callers must send it as a bearer token; without one the server must be on loopback. */
  apiKey?: string
  /** Takes one line per bug. */
  log?(line: string): void
}

/** Largest JSON body: a batch of 100 query vectors of 2048 numbers as text, and room. */
export const jsonLimit = 8 * 2 ** 20

/** The whole API: parse, call, answer. */
export function createApp(
  ports: ApiPorts,
  { apiKey, log = console.error }: AppOptions = {},
): OpenAPIHono<Env> {
  const app = resource()
  app.onError((thrown, c) => problem(thrown, c, log))
  app.notFound((c) => {
    throw new Fault("missing", "no-such-route", `there is no ${c.req.method} ${c.req.path}: see /docs`)
  })
  app.use(
    requestId(),
    secureHeaders({
      // Whether the host, and all below it, are to be reached by https only is not for us to say.
      strictTransportSecurity: false,
      // What a handler says itself holds.
      overwrite: false,
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", "data:"],
      },
    }),
  )
  app.use(async (c, next) => {
    c.set("ports", ports)
    await next()
  })
  app.use("/v1/*", apiKey === undefined ? ownPagesOnly : apiKeyGuard(apiKey))
  const limited = bodyLimit({
    maxSize: jsonLimit,
    onError: () => {
      throw tooLarge(jsonLimit)
    },
  })
  // An upload is counted as it arrives; the limit's own counting would hold all of it in memory. A body that says its
  // length is cut there by the server; to look at it here takes longer than a search.
  app.use("/v1/*", (c, next) => {
    const told =
      c.req.header("transfer-encoding") === undefined && Number(c.req.header("content-length")) <= jsonLimit
    return c.req.path === "/v1/series" || told ? next() : limited(c, next)
  })
  app.route("/", health)
  const parts = [
    series,
    cohorts,
    members,
    searches,
    probes,
    probeVersions,
    probeEvaluations,
    plots,
    learningCurves,
    panels,
    predictions,
    jobs,
  ]
  for (const part of parts) app.route("/v1", part)
  if (apiKey !== undefined)
    app.openAPIRegistry.registerComponent("securitySchemes", "apiKey", { type: "http", scheme: "bearer" })
  const about = {
    openapi: "3.1.0",
    info: {
      title: "voxkin",
      version,
      description: `Finds a CT scan's kin. ${notice}`,
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    ...(apiKey === undefined ? {} : { security: [{ apiKey: [] }] }),
  }
  app.get("/openapi.json", (c) => c.json(app.getOpenAPI31Document(about)))
  app.route("/docs", docs)
  for (const path of ["/", "/docs/"]) app.get(path, (c) => c.redirect("/docs"))
  return app
}
