import { createRoute, z } from "@hono/zod-openapi"
import { findCohort } from "#shared/cohort/cohort.ts"
import { deleteSeries, whereIs } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"
import { Receipt } from "#shared/features/features.ts"
import { readPooled } from "#shared/features/keep.ts"
import { CohortName, EncoderId, SeriesId } from "#shared/ids.ts"
import { createJob } from "#shared/jobs/record.ts"
import { keys } from "#shared/store/keys.ts"
import type { ApiPorts } from "../ports.ts"
import { piecesOf } from "./body.ts"
import { Accepted, json, params, problems, resource } from "./route.ts"

/** Largest upload, in bytes: a zip or NIfTI of 1 GiB. */
export const uploadLimit = 2 ** 30

const Upload = z.object({
  cohort: CohortName,
  source: z
    .string()
    .regex(/^\P{Cc}{1,512}$/u, "a source has 1 to 512 characters, none of them a control character")
    .default("upload")
    .openapi({
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
  responses: { 202: json(Accepted, "The job that embeds it"), ...problems(400, 409, 413, 503) },
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
  summary: "Delete a series: its features, its overlays, and its place in every cohort",
  request: { params: params.series },
  responses: { 204: { description: "It is gone" }, ...problems(404) },
})

export const series = resource()
  .openapi(upload, async (c) => {
    const { cohort, source } = c.req.valid("query")
    if (c.req.header("content-type")?.startsWith("multipart/")) {
      const message = "send the file itself as the body, not a form: curl --data-binary @FILE"
      throw new Fault("invalid", "content-type", message)
    }
    await checkEncoder(c.get("ports"), cohort)
    const { objects, jobs, now } = c.get("ports")
    const pieces = piecesOf(c.req.raw, uploadLimit)
    return c.json(
      { job: await createJob(objects, jobs, { kind: "embed", cohort, source }, now(), pieces) },
      202,
    )
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

/** Says what the job would find, before a gigabyte is sent for nothing. A cohort that is not there gets our encoder. */
async function checkEncoder({ objects, defaultEncoder }: ApiPorts, cohort: string): Promise<void> {
  const there = await findCohort(objects, cohort)
  if (!there || there.encoder === (await defaultEncoder()).id) return
  if (await objects.has(keys.encoderPart(there.encoder, "encoder.json"))) return
  throw new Fault(
    "conflict",
    "no-encoder",
    `cohort ${cohort} needs encoder ${there.encoder}, which is not here: serve with --encoder and its folder, or use another cohort`,
  )
}

function noSuchSeries(series: string): Fault {
  return new Fault("missing", "no-such-series", `there is no series ${series} here`)
}
