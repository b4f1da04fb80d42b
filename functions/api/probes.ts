import { createRoute, z } from "@hono/zod-openapi"
import { getCohort } from "#shared/cohort/cohort.ts"
import { SeriesId } from "#shared/ids.ts"
import { FitJob } from "#shared/jobs/job.ts"
import { createJob } from "#shared/jobs/record.ts"
import { checkTimes, getProbe, listProbes, Prediction, predict } from "#shared/probe/predict.ts"
import { ProbeRecord, ProbeVersion } from "#shared/probe/record.ts"
import { targetOf } from "#shared/probe/request.ts"
import { openerOf } from "./opened-probes.ts"
import {
  Accepted,
  body,
  Damaged,
  json,
  listing,
  named,
  params,
  problems,
  resource,
  someSeries,
} from "./route.ts"

export const Described = named("Probe", ProbeRecord)

const fit = createRoute({
  method: "post",
  path: "/probes",
  tags: ["probes"],
  summary:
    "Fit a linear probe, or one by neighbors, on a cohort's cached features and measure it by cross-validation",
  description:
    "Classification and regression take the column `label`; survival takes `time` and `event` in its place. " +
    "`knn` takes either and trains nothing: the nearest `neighbors` training series answer, and predictions name them as " +
    "evidence. A label with more than ten different numbers is then a number, any other a class.",
  request: {
    body: body(named("ProbeFit", FitJob.omit({ kind: true })), {
      name: "nodule",
      cohort: "mine",
      label: "nodule",
      task: "classification",
    }),
  },
  responses: { 202: json(Accepted, "The job that fits it"), ...problems(400, 404) },
})

const list = createRoute({
  method: "get",
  path: "/probes",
  tags: ["probes"],
  summary: "All probes, each in its current version",
  responses: { 200: json(z.object({ probes: z.array(Described), damaged: Damaged }), "The probes, by name") },
})

const show = createRoute({
  method: "get",
  path: "/probes/{name}",
  tags: ["probes"],
  summary: "What a probe is and how well it did",
  request: { params: params.probe },
  responses: { 200: json(Described, "The probe's current version"), ...problems(404) },
})

const Predictions = z
  .object({ probe: z.string(), version: z.string(), encoder: z.string(), predictions: z.array(Prediction) })
  .openapi("Predictions")

const Ask = z
  .strictObject({
    series: z.array(SeriesId).min(1).max(1000),
    version: ProbeVersion.optional().openapi({ description: "The one that answers, unless named" }),
    times: z.array(z.number().positive()).min(1).max(100).optional().openapi({
      description:
        "Of a survival probe: where to tell the probability of survival; by default the quartiles of event times",
    }),
  })
  .openapi("PredictRequest")

const ask = createRoute({
  method: "post",
  path: "/probes/{name}/predict",
  tags: ["probes"],
  summary: "What the probe says of each series, from cached features",
  description:
    "A knn probe tells its `neighbors` too: the nearest 100 at most, nearest first, each with its distance (Euclidean, on " +
    "standardised features), its share in the answer, and its label, value, or time and event. A training series is never " +
    "a neighbor of its own.",
  request: {
    params: params.probe,
    body: body(Ask, { series: [someSeries] }),
  },
  responses: {
    200: json(Predictions, "One prediction per series, in order"),
    ...problems(400, 404, 409, 503),
  },
})

export const probes = resource()
  .openapi(fit, async (c) => {
    const { objects, jobs, now } = c.get("ports")
    const request = c.req.valid("json")
    targetOf(request)
    await getCohort(objects, request.cohort)
    return c.json({ job: await createJob(objects, jobs, { kind: "fit", ...request }, now()) }, 202)
  })
  .openapi(list, async (c) => {
    const { objects } = c.get("ports")
    const { found, damaged } = await listing((onDamaged) => listProbes(objects, onDamaged))
    return c.json({ probes: found, damaged }, 200)
  })
  .openapi(show, async (c) => c.json(await getProbe(c.get("ports").objects, c.req.valid("param").name), 200))
  .openapi(ask, async (c) => {
    const { objects } = c.get("ports")
    const { series, version: asked, times } = c.req.valid("json")
    const probe = await openerOf(objects)(c.req.valid("param").name, asked)
    if (times) checkTimes(probe, times)
    const predictions = await predict(objects, probe, series, times)
    const { name, version, encoder } = probe.record
    return c.json({ probe: name, version, encoder: encoder.id, predictions }, 200)
  })
