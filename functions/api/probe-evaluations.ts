import { createRoute, z } from "@hono/zod-openapi"
import { getCohort } from "#shared/cohort/cohort.ts"
import { EvaluateJob } from "#shared/jobs/job.ts"
import { createJob } from "#shared/jobs/record.ts"
import { ExternalEvaluation, listEvaluations } from "#shared/probe/external/evaluation.ts"
import { columnsFor } from "#shared/probe/external/labels.ts"
import { getProbe } from "#shared/probe/predict.ts"
import { ProbeVersion } from "#shared/probe/record.ts"
import { Accepted, body, Damaged, json, listing, named, params, problems, resource } from "./route.ts"

const evaluate = createRoute({
  method: "post",
  path: "/probes/{name}/evaluations",
  tags: ["probes"],
  summary: "Measure a probe on another cohort, from cached features",
  description:
    "Series that the version was trained on are left out, and further ones of patients that it was trained on. The columns are " +
    "those it learned from unless others are named. `baseline` is what says the same of every series, as the training " +
    "labels had it. The result is kept with the version.",
  request: {
    params: params.probe,
    body: body(named("ProbeEvaluate", EvaluateJob.omit({ kind: true, name: true })), { cohort: "elsewhere" }),
  },
  responses: { 202: json(Accepted, "The job that measures"), ...problems(400, 404, 503) },
})

const list = createRoute({
  method: "get",
  path: "/probes/{name}/evaluations",
  tags: ["probes"],
  summary: "How well a version of a probe did on other cohorts, latest first",
  request: {
    params: params.probe,
    query: z.object({
      version: ProbeVersion.optional().openapi({ description: "The one that answers, unless named" }),
    }),
  },
  responses: {
    200: json(
      z.object({
        version: ProbeVersion,
        evaluations: z.array(named("ExternalEvaluation", ExternalEvaluation)),
        damaged: Damaged,
      }),
      "The evaluations",
    ),
    ...problems(400, 404, 503),
  },
})

export const probeEvaluations = resource()
  .openapi(evaluate, async (c) => {
    const { objects, jobs, now } = c.get("ports")
    const request = { ...c.req.valid("param"), ...c.req.valid("json") }
    columnsFor(await getProbe(objects, request.name, request.version), request)
    await getCohort(objects, request.cohort)
    return c.json({ job: await createJob(objects, jobs, { kind: "evaluate", ...request }, now()) }, 202)
  })
  .openapi(list, async (c) => {
    const { objects } = c.get("ports")
    const { name } = c.req.valid("param")
    const { version } = await getProbe(objects, name, c.req.valid("query").version)
    const read = listing((onDamaged) => listEvaluations(objects, name, version, onDamaged))
    const { found, damaged } = await read
    return c.json({ version, evaluations: found, damaged }, 200)
  })
