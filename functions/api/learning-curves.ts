import { createRoute } from "@hono/zod-openapi"
import { Fault } from "#shared/errors.ts"
import { LearningCurveJob } from "#shared/jobs/job.ts"
import { createJob } from "#shared/jobs/record.ts"
import { LearningCurve, readCurve } from "#shared/probe/curve/record.ts"
import { getProbe } from "#shared/probe/predict.ts"
import { Accepted, body, json, named, params, problems, resource } from "./route.ts"

const make = createRoute({
  method: "post",
  path: "/learning-curves",
  tags: ["probes"],
  summary: "How well a probe would do with fewer patients to learn from",
  description:
    "The job learns again what a version of the probe did, by default the current one, in the same folds, from 5, 10, 20, … patients (or `sizes`) and " +
    "from all, each number drawn `repeats` times; the smaller draws lie within the larger ones. Its result is kept with the version.",
  request: {
    body: body(named("LearningCurveRequest", LearningCurveJob.omit({ kind: true })), {
      name: "nodule",
      sizes: [10, 20, 50, 100],
      repeats: 5,
    }),
  },
  responses: { 202: json(Accepted, "The job that makes it"), ...problems(400, 404) },
})

const show = createRoute({
  method: "get",
  path: "/probes/{name}/learning-curve",
  tags: ["probes"],
  summary: "The latest learning curve of a probe's current version",
  request: { params: params.probe },
  responses: {
    200: json(named("LearningCurve", LearningCurve), "Metrics by number of patients"),
    ...problems(404),
  },
})

export const learningCurves = resource()
  .openapi(make, async (c) => {
    const { objects, jobs, now } = c.get("ports")
    const request = c.req.valid("json")
    await getProbe(objects, request.name, request.version)
    return c.json({ job: await createJob(objects, jobs, { kind: "learning-curve", ...request }, now()) }, 202)
  })
  .openapi(show, async (c) => {
    const { objects } = c.get("ports")
    const { name, version } = await getProbe(objects, c.req.valid("param").name)
    const curve = await readCurve(objects, name, version)
    if (curve) return c.json(curve, 200)
    const message = `probe ${name} has no learning curve of version ${version}: POST /v1/learning-curves makes one`
    throw new Fault("missing", "no-learning-curve", message)
  })
