import { createRoute, z } from "@hono/zod-openapi"
import { Info, info } from "../info.ts"
import { json, named, problems, resource } from "./route.ts"

const Ok = z.object({ ok: z.literal(true) })

const alive = createRoute({
  method: "get",
  path: "/healthz",
  tags: ["about"],
  summary: "The process answers",
  responses: { 200: json(Ok, "It does") },
})

const ready = createRoute({
  method: "get",
  path: "/readyz",
  tags: ["about"],
  summary: "The store answers and the encoder's card can be read",
  responses: { 200: json(Ok, "They do"), ...problems(503) },
})

const about = createRoute({
  method: "get",
  path: "/v1/info",
  tags: ["about"],
  summary: "Version, encoder, recipe, engines and counts",
  responses: { 200: json(named("Info", Info), "What this installation is and holds") },
})

export const health = resource()
  .openapi(alive, (c) => c.json({ ok: true as const }, 200))
  .openapi(ready, async (c) => {
    const { objects, defaultEncoder } = c.get("ports")
    await Promise.all([objects.has("ready"), defaultEncoder()])
    return c.json({ ok: true as const }, 200)
  })
  .openapi(about, async (c) => c.json(await info(c.get("ports")), 200))
