import { createRoute, z } from "@hono/zod-openapi"
import { Fault } from "#shared/errors.ts"
import { exportProbe, PartName, partNames } from "#shared/probe/exchange/export.ts"
import { getProbe } from "#shared/probe/predict.ts"
import { ProbeVersion } from "#shared/probe/record.ts"
import { listVersions, VersionSummary } from "#shared/probe/versions/list.ts"
import { Promoted, promote } from "#shared/probe/versions/promote.ts"
import { ProbeRolledBack, rollbackProbe } from "#shared/probe/versions/rollback.ts"
import { Described } from "./probes.ts"
import { body, Damaged, json, listing, named, params, problems, resource } from "./route.ts"

const one = params.probe.extend({ version: ProbeVersion })
const someVersion = "20250304T050607089Z-0123abcd"

const list = createRoute({
  method: "get",
  path: "/probes/{name}/versions",
  tags: ["probes"],
  summary: "The versions of a probe, newest first",
  request: { params: params.probe },
  responses: {
    200: json(
      z.object({
        versions: z.array(named("ProbeVersion", VersionSummary.extend({ record: Described }))),
        damaged: Damaged,
      }),
      "The versions; one that was never promoted has `promotedAt: null`",
    ),
    ...problems(404, 503),
  },
})

const show = createRoute({
  method: "get",
  path: "/probes/{name}/versions/{version}",
  tags: ["probes"],
  summary: "What a version of a probe is and how well it did",
  request: { params: one },
  responses: { 200: json(Described, "The version"), ...problems(404, 503) },
})

const parts = createRoute({
  method: "get",
  path: "/probes/{name}/versions/{version}/parts",
  tags: ["probes"],
  summary: "The files of a version",
  description:
    "Downloaded into one folder, SHA256SUMS with them, they are what `probe export` writes and `probe import` takes. " +
    "Of a probe by neighbors the weights are the features and labels of its training series, by series id.",
  request: { params: one },
  responses: { 200: json(z.object({ parts: z.array(z.string()) }), "Their names"), ...problems(404, 503) },
})

const part = createRoute({
  method: "get",
  path: "/probes/{name}/versions/{version}/parts/{part}",
  tags: ["probes"],
  summary: "One file of a version, as it is kept",
  request: { params: one.extend({ part: PartName }) },
  responses: {
    200: {
      description: "Its bytes",
      content: { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } },
    },
    ...problems(400, 404, 503),
  },
})

const promotion = createRoute({
  method: "post",
  path: "/probes/{name}/promote",
  tags: ["probes"],
  summary: "Let a version answer from now on",
  description:
    "Its record and weights are checked first. One that is current already stays: `changed` is false.",
  request: {
    params: params.probe,
    body: body(z.strictObject({ version: ProbeVersion }).openapi("PromoteRequest"), { version: someVersion }),
  },
  responses: { 200: json(named("Promoted", Promoted), "What answers now"), ...problems(400, 404, 409, 503) },
})

const back = createRoute({
  method: "post",
  path: "/probes/{name}/rollback",
  tags: ["probes"],
  summary: "Let a version answer again that did before",
  description: "Without `version`: the last whole one that answered before the current one.",
  request: {
    params: params.probe,
    body: body(z.strictObject({ version: ProbeVersion.optional() }).openapi("ProbeRollback"), {}),
  },
  responses: {
    200: json(named("ProbeRolledBack", ProbeRolledBack), "What answers now"),
    ...problems(400, 404, 409, 503),
  },
})

export const probeVersions = resource()
  .openapi(list, async (c) => {
    const { objects } = c.get("ports")
    const { name } = c.req.valid("param")
    const { found, damaged } = await listing((onDamaged) => listVersions(objects, name, onDamaged))
    return c.json({ versions: found, damaged }, 200)
  })
  .openapi(show, async (c) => {
    const { name, version } = c.req.valid("param")
    return c.json(await getProbe(c.get("ports").objects, name, version), 200)
  })
  .openapi(parts, async (c) => {
    const { objects } = c.get("ports")
    const { name, version } = c.req.valid("param")
    return c.json({ parts: await partNames(objects, await getProbe(objects, name, version)) }, 200)
  })
  .openapi(part, async (c) => {
    const { name, version, part } = c.req.valid("param")
    const { files } = await exportProbe(c.get("ports").objects, name, version)
    const bytes = files.get(part)
    if (!bytes) {
      const message = `version ${version} of probe ${name} has no part ${part}: it has ${[...files.keys()].join(", ")}`
      throw new Fault("missing", "no-such-part", message)
    }
    return c.body(new Uint8Array(bytes), 200, {
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename="${part}"`,
    })
  })
  .openapi(promotion, async (c) => {
    const { objects, now } = c.get("ports")
    const { name } = c.req.valid("param")
    return c.json(await promote(objects, { name, ...c.req.valid("json"), now: now() }), 200)
  })
  .openapi(back, async (c) => {
    const { objects, now } = c.get("ports")
    const { name } = c.req.valid("param")
    const { version: to } = c.req.valid("json")
    return c.json(await rollbackProbe(objects, { name, to, now: now() }), 200)
  })
