import { createRoute, z } from "@hono/zod-openapi"
import { getCohort } from "#shared/cohort/cohort.ts"
import { SeriesId } from "#shared/ids.ts"
import { PanelJob } from "#shared/jobs/job.ts"
import { createJob } from "#shared/jobs/record.ts"
import { getPanel, listPanels, Panel } from "#shared/probe/panel/panel.ts"
import { openPanel, PanelPrediction, predictPanel } from "#shared/probe/panel/predict.ts"
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

const Described = named("Panel", Panel)

const fit = createRoute({
  method: "post",
  path: "/panels",
  tags: ["probes"],
  summary: "Fit a probe for each of several labels of two classes, to be asked as one",
  description:
    "Each becomes a probe of its own, named after the panel and its label; features are read once for all. A label that nothing can be learned of is in the panel's `leftOut`.",
  request: {
    body: body(named("PanelFit", PanelJob.omit({ kind: true })), {
      name: "chest",
      cohort: "mine",
      labels: ["nodule", "effusion"],
    }),
  },
  responses: { 202: json(Accepted, "The job that fits it"), ...problems(400, 404) },
})

const list = createRoute({
  method: "get",
  path: "/panels",
  tags: ["probes"],
  summary: "All panels, with their findings",
  responses: { 200: json(z.object({ panels: z.array(Described), damaged: Damaged }), "The panels, by name") },
})

const show = createRoute({
  method: "get",
  path: "/panels/{name}",
  tags: ["probes"],
  summary: "Which findings a panel has, and how well it did over all of them",
  request: { params: params.probe },
  responses: { 200: json(Described, "The panel"), ...problems(404) },
})

const ask = createRoute({
  method: "post",
  path: "/panels/{name}/predict",
  tags: ["probes"],
  summary: "What every finding's probe says of each series, from cached features that are read once",
  request: {
    params: params.probe,
    body: body(named("PanelPredictRequest", z.strictObject({ series: z.array(SeriesId).min(1).max(1000) })), {
      series: [someSeries],
    }),
  },
  responses: {
    200: json(
      named("PanelPredictions", z.object({ panel: z.string(), predictions: z.array(PanelPrediction) })),
      "One per series, in order",
    ),
    ...problems(400, 404, 409, 503),
  },
})

export const panels = resource()
  .openapi(fit, async (c) => {
    const { objects, jobs, now } = c.get("ports")
    const request = c.req.valid("json")
    await getCohort(objects, request.cohort)
    return c.json({ job: await createJob(objects, jobs, { kind: "panel", ...request }, now()) }, 202)
  })
  .openapi(list, async (c) => {
    const { objects } = c.get("ports")
    const { found, damaged } = await listing((onDamaged) => listPanels(objects, onDamaged))
    return c.json({ panels: found, damaged }, 200)
  })
  .openapi(show, async (c) => c.json(await getPanel(c.get("ports").objects, c.req.valid("param").name), 200))
  .openapi(ask, async (c) => {
    const { objects } = c.get("ports")
    const panel = await getPanel(objects, c.req.valid("param").name)
    const opened = await openPanel(objects, panel, openerOf(objects))
    const predictions = await predictPanel(objects, opened, c.req.valid("json").series)
    return c.json({ panel: panel.name, predictions }, 200)
  })
