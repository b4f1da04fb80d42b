import { createRoute, z } from "@hono/zod-openapi"
import { deleteSeries, whereIs } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"
import { Receipt } from "#shared/features/features.ts"
import { readPooled } from "#shared/features/keep.ts"
import { CohortName, EncoderId, SeriesId } from "#shared/ids.ts"
import { createJob } from "#shared/jobs/record.ts"
import { Accepted, json, params, problems, resource } from "./route.ts"

/** Largest upload, in bytes: a zip or NIfTI of 1 GiB. */
export const uploadLimit = 2 ** 30

const Upload = z.object({
  cohort: CohortName,
  source: z.string().max(512).default("upload").openapi({
    description: "How the caller calls it; kept as the series' source. No patient's name, please.",
  }),
})

const upload = createRoute({
  method: "post",
  path: "/series",
  tags: ["series"],
  summary: "Embed a scan into a cohort",
  description: `The body is one NIfTI file, or a zip of DICOM files; at most ${uploadLimit} bytes.`,
  request: {
    query: Upload,
    body: {
      required: true,
      content: { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } },
    },
  },
  responses: { 202: json(Accepted, "The job that embeds it"), ...problems(400, 409, 413) },
})

const Series = z
  .object({
    series: SeriesId,
    cohorts: z.array(CohortName),
    encoders: z.array(z.object({ encoder: EncoderId, receipt: Receipt })),
  })
  .openapi("Series")

const show = createRoute({
  method: "get",
  path: "/series/{series}",
  tags: ["series"],
  summary: "Where a series is kept and what was done to it",
  request: { params: params.series },
  responses: { 200: json(Series, "The series"), ...problems(404) },
})

const remove = createRoute({
  method: "delete",
  path: "/series/{series}",
  tags: ["series"],
  summary: "Delete a series: its features, and its place in every cohort",
  request: { params: params.series },
  responses: { 204: { description: "It is gone" }, ...problems(404) },
})

export const series = resource()
  .openapi(upload, async (c) => {
    const { cohort, source } = c.req.valid("query")
    const bytes = new Uint8Array(await c.req.arrayBuffer())
    if (bytes.length === 0)
      throw new Fault("invalid", "empty-body", "the body is empty: send a NIfTI file or a zip of DICOM files")
    const { objects, jobs, now } = c.get("ports")
    const job = await createJob(objects, jobs, { kind: "embed", cohort, source }, now(), bytes)
    return c.json({ job }, 202)
  })
  .openapi(show, async (c) => {
    const { objects } = c.get("ports")
    const { series } = c.req.valid("param")
    const { cohorts, encoders } = await whereIs(objects, series)
    const kept = await Promise.all(encoders.map((encoder) => readPooled(objects, encoder, series)))
    const receipts = kept.flatMap((pooled, i) =>
      pooled ? [{ encoder: encoders[i], receipt: pooled.receipt }] : [],
    )
    if (receipts.length === 0 && cohorts.length === 0) throw noSuchSeries(series)
    return c.json({ series, cohorts, encoders: receipts }, 200)
  })
  .openapi(remove, async (c) => {
    const { objects } = c.get("ports")
    const { series } = c.req.valid("param")
    if (!(await deleteSeries(objects, series))) throw noSuchSeries(series)
    return c.body(null, 204)
  })

function noSuchSeries(series: string): Fault {
  return new Fault("missing", "no-such-series", `there is no series ${series} here`)
}
