import { createRoute, z } from "@hono/zod-openapi"
import { streamSSE } from "hono/streaming"
import { Fault } from "#shared/errors.ts"
import { cancelJob, describeJob, JobDescription, listJobs } from "#shared/jobs/record.ts"
import { Damaged, json, listing, named, params, problems, resource } from "./route.ts"

/** What a job made is any JSON, which as a recursive schema would have no end in the OpenAPI document. */
const Described = named("Job", JobDescription.extend({ result: z.any().optional() }))

const list = createRoute({
  method: "get",
  path: "/jobs",
  tags: ["jobs"],
  summary: "The hundred newest jobs, newest first",
  responses: { 200: json(z.object({ jobs: z.array(Described), damaged: Damaged }), "The jobs") },
})

const show = createRoute({
  method: "get",
  path: "/jobs/{job}",
  tags: ["jobs"],
  summary: "One job: its state, and what came of it",
  request: { params: params.job },
  responses: { 200: json(Described, "The job"), ...problems(404) },
})

const cancel = createRoute({
  method: "delete",
  path: "/jobs/{job}",
  tags: ["jobs"],
  summary: "Cancel a job; one that has ended stays as it is",
  request: { params: params.job },
  responses: { 200: json(Described, "The job after that"), ...problems(404) },
})

const events = createRoute({
  method: "get",
  path: "/jobs/{job}/events",
  tags: ["jobs"],
  summary: "Follow a job",
  description:
    "Server-sent events named `job`, each with the job as JSON, at every change until it has ended. Should the " +
    "job's record be damaged meanwhile, the last event is a `fault`.",
  request: { params: params.job },
  responses: {
    200: { description: "The events", content: { "text/event-stream": { schema: z.string() } } },
    ...problems(404),
  },
})

/** ms between two looks at a job that is followed. */
const followEvery = 200
/** ms without news after which a comment keeps the connection open. */
const keepAlive = 15_000

export const jobs = resource()
  .openapi(list, async (c) => {
    const { objects, jobs } = c.get("ports")
    const { found, damaged } = await listing((onDamaged) => listJobs(objects, jobs, onDamaged))
    return c.json({ jobs: found, damaged }, 200)
  })
  .openapi(show, async (c) => {
    const { objects, jobs } = c.get("ports")
    return c.json(await describeJob(objects, jobs, c.req.valid("param").job), 200)
  })
  .openapi(cancel, async (c) => {
    const { objects, jobs, now } = c.get("ports")
    const { job } = c.req.valid("param")
    await cancelJob(objects, jobs, job, now())
    return c.json(await describeJob(objects, jobs, job), 200)
  })
  .openapi(events, async (c) => {
    const { objects, jobs } = c.get("ports")
    const { job } = c.req.valid("param")
    let now = await describeJob(objects, jobs, job)
    // Nobody would ever tell such a stream that its reader is gone.
    if (c.req.method === "HEAD") return c.body(null, 200, { "content-type": "text/event-stream" })
    return streamSSE(c, async (stream) => {
      let told = ""
      let toldAt = Date.now()
      while (!stream.aborted) {
        const data = JSON.stringify(now)
        if (data !== told) {
          await stream.writeSSE({ event: "job", data })
          told = data
          toldAt = Date.now()
        } else if (Date.now() - toldAt > keepAlive) {
          await stream.write(": still here\n\n")
          toldAt = Date.now()
        }
        if (now.state !== "queued" && now.state !== "running") return
        await stream.sleep(followEvery)
        try {
          now = await describeJob(objects, jobs, job)
        } catch (thrown) {
          if (!(thrown instanceof Fault)) throw thrown
          const { code, message } = thrown
          await stream.writeSSE({ event: "fault", data: JSON.stringify({ code, message }) })
          return
        }
      }
    })
  })
