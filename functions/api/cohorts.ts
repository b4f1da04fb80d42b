import { createRoute, z } from "@hono/zod-openapi"
import { Cohort, createCohort, deleteCohort, getCohort, listCohorts } from "#shared/cohort/cohort.ts"
import { EncoderId, SnapshotId } from "#shared/ids.ts"
import { createJob } from "#shared/jobs/record.ts"
import { listSnapshots, SnapshotSummary } from "#shared/retrieval/describe.ts"
import { RolledBack, rollback } from "#shared/retrieval/rollback.ts"
import { Accepted, body, Damaged, json, listing, named, params, problems, resource } from "./route.ts"

const Described = named("Cohort", Cohort)

const list = createRoute({
  method: "get",
  path: "/cohorts",
  tags: ["cohorts"],
  summary: "All cohorts",
  responses: {
    200: json(z.object({ cohorts: z.array(Described), damaged: Damaged }), "The cohorts, by name"),
  },
})

const create = createRoute({
  method: "put",
  path: "/cohorts/{cohort}",
  tags: ["cohorts"],
  summary: "Make a cohort of the default encoder; making it again changes nothing",
  request: { params: params.cohort },
  responses: { 200: json(Described, "The cohort"), ...problems(400, 409) },
})

const show = createRoute({
  method: "get",
  path: "/cohorts/{cohort}",
  tags: ["cohorts"],
  summary: "One cohort",
  request: { params: params.cohort },
  responses: { 200: json(Described, "The cohort"), ...problems(404) },
})

const remove = createRoute({
  method: "delete",
  path: "/cohorts/{cohort}",
  tags: ["cohorts"],
  summary: "Delete a cohort with its snapshots; the features of its series stay",
  request: { params: params.cohort },
  responses: { 204: { description: "It is gone" }, ...problems(404) },
})

const publish = createRoute({
  method: "post",
  path: "/cohorts/{cohort}/publish",
  tags: ["cohorts"],
  summary: "Make a snapshot of the cohort and let searches use it",
  description:
    "A snapshot whose graph finds too little, does not reach every series, or whose neighbors are not those of the " +
    "live one stays a candidate: the job's result says `promoted: false` and the `reasons`; `force` promotes it all " +
    "the same. With `encoder`, one that the store has, the snapshot is of the features under that: once it is live, " +
    "that encoder answers for the cohort. The probes fitted on it, and those whose predictions it holds, are fitted anew " +
    "under both encoders, on the same series and folds, and series without features under the new one, or a probe that does worse by more than 0.02, are reasons too. " +
    "The newest five snapshots, the newest five that were live and the live one are kept; older ones are removed.",
  request: {
    params: params.cohort,
    body: {
      ...body(
        z
          .strictObject({ force: z.boolean().optional(), encoder: EncoderId.optional() })
          .openapi("PublishRequest"),
        {},
      ),
      required: false,
    },
  },
  responses: { 202: json(Accepted, "The job that publishes"), ...problems(400, 404) },
})

const back = createRoute({
  method: "post",
  path: "/cohorts/{cohort}/rollback",
  tags: ["cohorts"],
  summary: "Make an earlier snapshot live again",
  description:
    "Without `snapshot`: the newest whole one before the live one. Deleted series stay gone, and series added since " +
    "are scanned beside it. The snapshot's encoder answers for the cohort again.",
  request: {
    params: params.cohort,
    body: body(z.strictObject({ snapshot: SnapshotId.optional() }).openapi("RollbackRequest"), {}),
  },
  responses: {
    200: json(named("RolledBack", RolledBack), "What is live now"),
    ...problems(400, 404, 409, 503),
  },
})

const snapshots = createRoute({
  method: "get",
  path: "/cohorts/{cohort}/snapshots",
  tags: ["cohorts"],
  summary: "The cohort's snapshots, newest first",
  request: { params: params.cohort },
  responses: {
    200: json(
      z.object({ snapshots: z.array(named("Snapshot", SnapshotSummary)), damaged: Damaged }),
      "The snapshots",
    ),
    ...problems(404),
  },
})

export const cohorts = resource()
  .openapi(list, async (c) => {
    const { objects } = c.get("ports")
    const { found, damaged } = await listing((onDamaged) => listCohorts(objects, onDamaged))
    return c.json({ cohorts: found, damaged }, 200)
  })
  .openapi(create, async (c) => {
    const { objects, now, defaultEncoder } = c.get("ports")
    const { id } = await defaultEncoder()
    return c.json(await createCohort(objects, c.req.valid("param").cohort, id, now()), 200)
  })
  .openapi(show, async (c) =>
    c.json(await getCohort(c.get("ports").objects, c.req.valid("param").cohort), 200),
  )
  .openapi(remove, async (c) => {
    await deleteCohort(c.get("ports").objects, c.req.valid("param").cohort)
    return c.body(null, 204)
  })
  .openapi(publish, async (c) => {
    const { objects, jobs, now } = c.get("ports")
    const { cohort } = await getCohort(objects, c.req.valid("param").cohort)
    const job = { kind: "publish", cohort, ...c.req.valid("json") } as const
    return c.json({ job: await createJob(objects, jobs, job, now()) }, 202)
  })
  .openapi(back, async (c) => {
    const { objects, now } = c.get("ports")
    const { cohort } = c.req.valid("param")
    const { snapshot: to } = c.req.valid("json")
    return c.json(await rollback(objects, { cohort, to, now: now() }), 200)
  })
  .openapi(snapshots, async (c) => {
    const { objects } = c.get("ports")
    const { cohort } = await getCohort(objects, c.req.valid("param").cohort)
    const { found, damaged } = await listing((onDamaged) => listSnapshots(objects, cohort, onDamaged))
    return c.json({ snapshots: found, damaged }, 200)
  })
