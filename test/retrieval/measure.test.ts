import { expect, test } from "vitest"
import { buildHnsw, hnswAvailable, openHnsw } from "#shared/retrieval/hnsw.ts"
import { liveViews } from "#shared/retrieval/live.ts"
import { measureRecall, Recall } from "#shared/retrieval/measure.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { keys } from "#shared/store/keys.ts"
import { encoder, now, scratchStore } from "../cohort/scratch.ts"
import { snapshotOf, storeCohort, viewOf } from "./made.ts"
import { unitVectors } from "./random.ts"

const none = { filter: undefined, sample: 20 }

test("under a filter every answer is exact; the figure is kept with the snapshot, and a bad filter is refused", async () => {
  const objects = scratchStore()
  const dim = 6
  const metadata = Array.from({ length: 30 }, (_, age) => ({ age }))
  await storeCohort(objects, { cohort: "c", dim, vectors: unitVectors({ count: 30, dim }), metadata })
  const { snapshot } = await publish(objects, { cohort: "c", now })
  const view = await liveViews(objects)("c")
  const measured = await measureRecall(objects, view, { k: 5, filter: "age>=20", sample: 12 }, now)
  expect(measured).toEqual({
    recall: 1,
    k: 5,
    filter: "age>=20",
    queries: 12,
    plans: { "exact-filtered": 12 },
    snapshot,
    at: now.toISOString(),
  })
  const kept = (await objects.list(keys.snapshotPart("c", encoder, snapshot, "recall-")))[0]
  expect(Recall.parse(JSON.parse(new TextDecoder().decode((await objects.get(kept))!.bytes)))).toEqual(
    measured,
  )
  const bad = measureRecall(objects, view, { ...none, k: 5, filter: "site=A" }, now)
  await expect(bad).rejects.toMatchObject({ code: "unknown-column" })
})

// Without a compiler there is no graph that could miss anything.
test.skipIf(!(await hnswAvailable()).available)("a poor graph is found out", async () => {
  const dim = 16
  const count = 10_500
  const vectors = unitVectors({ count, dim })
  const snapshot = await snapshotOf({ cohort: "c", dim, vectors }, "exact")
  const poor = await openHnsw(await buildHnsw({ dim, vectors, m: 2, efConstruction: 2 }), { dim, vectors })
  // An index that says it is so large that the graph is asked: really to be would take minutes to build.
  const view = viewOf({ ...snapshot, exact: { ...snapshot.exact, size: 10_000_000 }, graph: poor })
  const measured = await measureRecall(scratchStore(), view, { ...none, k: 10 }, now)
  expect(measured).toMatchObject({ queries: 20, plans: { hnsw: 20 } })
  expect(measured.recall).toBeLessThan(0.9)
  expect(measured.recall).toBeGreaterThan(0)
})
