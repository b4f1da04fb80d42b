import { createRoute, z } from "@hono/zod-openapi"
import { getCohort } from "#shared/cohort/cohort.ts"
import { listPredictions, Predictions } from "#shared/cohort/predictions.ts"
import { PredictJob } from "#shared/jobs/job.ts"
import { createJob } from "#shared/jobs/record.ts"
import { probesNamed } from "#shared/probe/panel/panel.ts"
import { getProbe } from "#shared/probe/predict.ts"
import { Accepted, body, Damaged, json, listing, named, params, problems, resource } from "./route.ts"

const predict = createRoute({
  method: "post",
  path: "/cohorts/{cohort}/predictions",
  tags: ["probes"],
  summary: "What probes say of every series of a cohort, kept for searches to filter by",
  description:
    "The job reads each series' features once for all probes; a panel's name stands for those of its findings. From the next publish on, `probe.NAME` is a column of " +
    "the answers (of a survival probe, the risk) and `probe.NAME.p` one of the probability of the class that is the answer.",
  request: {
    params: params.cohort,
    body: body(named("PredictCohort", PredictJob.pick({ probes: true })), { probes: ["nodule"] }),
  },
  responses: { 202: json(Accepted, "The job that predicts"), ...problems(400, 404) },
})

const Kept = Predictions.omit({ columns: true }).extend({
  columns: z.record(z.string(), z.int()).openapi({ description: "How many series have a value" }),
})

const list = createRoute({
  method: "get",
  path: "/cohorts/{cohort}/predictions",
  tags: ["probes"],
  summary: "Which probes' answers are kept for the cohort",
  request: { params: params.cohort },
  responses: {
    200: json(
      z.object({ predictions: z.array(named("KeptPredictions", Kept)), damaged: Damaged }),
      "By the probe's name",
    ),
    ...problems(404),
  },
})

export const predictions = resource()
  .openapi(predict, async (c) => {
    const { objects, jobs, now } = c.get("ports")
    const { cohort } = await getCohort(objects, c.req.valid("param").cohort)
    const { probes } = c.req.valid("json")
    for (const name of await probesNamed(objects, probes)) await getProbe(objects, name)
    return c.json({ job: await createJob(objects, jobs, { kind: "predict", cohort, probes }, now()) }, 202)
  })
  .openapi(list, async (c) => {
    const { objects } = c.get("ports")
    const { cohort } = await getCohort(objects, c.req.valid("param").cohort)
    const { found, damaged } = await listing((onDamaged) => listPredictions(objects, cohort, onDamaged))
    const predictions = found.map(({ columns, ...about }) => ({
      ...about,
      columns: Object.fromEntries(
        Object.entries(columns).map(([name, values]) => [name, Object.keys(values).length]),
      ),
    }))
    return c.json({ predictions, damaged }, 200)
  })
