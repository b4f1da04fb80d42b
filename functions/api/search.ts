import { createRoute, z } from "@hono/zod-openapi"
import { Fault } from "#shared/errors.ts"
import { liveViews, type Views, withView } from "#shared/retrieval/live.ts"
import { measureRecall, Recall, RecallRequest } from "#shared/retrieval/measure.ts"
import { SearchAnswer, SearchRequest, search, searchMany } from "#shared/retrieval/search.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { body, json, named, params, problems, resource, someSeries } from "./route.ts"

const One = named("SearchRequest", SearchRequest)
const Many = z
  .strictObject({
    cohort: SearchRequest.shape.cohort,
    queries: z
      .array(SearchRequest.omit({ cohort: true }))
      .min(1)
      .max(100),
  })
  .openapi("SearchRequests", { description: "Up to 100 queries; all are answered from one snapshot." })
/** Neighbors that a batch may ask for in all: about 20 MB of answer. */
const mostNeighbors = 100_000

const Answer = named("SearchAnswer", SearchAnswer)

const route = createRoute({
  method: "post",
  path: "/search",
  tags: ["search"],
  summary: "The cases most like this one",
  description:
    "Answered from the live snapshot, with the series added since scanned exactly beside it (`fresh`) and the " +
    "deleted left out at once. Filters know the snapshot's columns: one that only newer series have is unknown until " +
    "the next publish. Where the live snapshot is damaged, the newest whole one before it answers, and `degraded` says " +
    "why. The pointer is read at every request, so a snapshot that goes live anywhere answers the next one. A vector " +
    "that says its `encoder` is refused by a cohort of another.",
  request: {
    body: body(z.union([One, Many]), {
      cohort: "mine",
      query: { series: someSeries },
      k: 5,
      filter: "age>=50 & sex=F",
    }),
  },
  responses: {
    200: json(
      z.union([Answer, z.object({ answers: z.array(Answer) })]),
      "The neighbors; for `queries`, `answers` in their order",
    ),
    ...problems(400, 404, 409, 413, 503),
  },
})

const recall = createRoute({
  method: "post",
  path: "/cohorts/{cohort}/recall",
  tags: ["search"],
  summary: "How much of the exact answer searches find, under a filter of yours",
  description:
    "Asks for `sample` series of the live snapshot, as a search would and again with `exact`; the result is kept " +
    "with the snapshot.",
  request: {
    params: params.cohort,
    body: body(named("RecallRequest", RecallRequest), { k: 10, filter: "age>=50", sample: 50 }),
  },
  responses: { 200: json(named("Recall", Recall), "What was measured"), ...problems(400, 404, 503) },
})

/** One cache of opened snapshots for each store: it outlives the requests. */
const caches = new WeakMap<ObjectStore, Views>()

function viewsOf(objects: ObjectStore) {
  const views = caches.get(objects) ?? liveViews(objects)
  caches.set(objects, views)
  return views
}

export const searches = resource()
  .openapi(recall, async (c) => {
    const { objects, now } = c.get("ports")
    const measured = await withView(viewsOf(objects), c.req.valid("param").cohort, async (view) => {
      // What is asked about is the graph, if there is one.
      await view.snapshot.warm()
      return measureRecall(objects, view, c.req.valid("json"), now())
    })
    return c.json(measured, 200)
  })
  .openapi(route, async (c) => {
    const { objects } = c.get("ports")
    const request = c.req.valid("json")
    const { cohort } = request
    if ("queries" in request && request.queries.reduce((sum, { k }) => sum + k, 0) > mostNeighbors) {
      const message = `the k of all queries together may be at most ${mostNeighbors}: send several batches`
      throw new Fault("too_large", "too-many-neighbors", message)
    }
    const answered = await withView(viewsOf(objects), cohort, async (view) => {
      const answer =
        "queries" in request
          ? {
              answers: await searchMany(
                objects,
                view,
                request.queries.map((query) => ({ cohort, ...query })),
              ),
            }
          : await search(objects, view, request)
      // Only now, so that the first answer need not wait for it.
      void view.snapshot.warm()
      return answer
    })
    return c.json(answered, 200)
  })
