import { expect, test } from "vitest"
import { createCohort, getCohort, listCohorts } from "#shared/cohort/cohort.ts"
import type { ProbeChange } from "#shared/cohort/encoder-change.ts"
import { addMember } from "#shared/cohort/members.ts"
import { readPointer } from "#shared/cohort/pointer.ts"
import { putPredictions } from "#shared/cohort/predictions.ts"
import { listSnapshots } from "#shared/retrieval/describe.ts"
import { liveViews } from "#shared/retrieval/live.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { rollback } from "#shared/retrieval/rollback.ts"
import { search } from "#shared/retrieval/search.ts"
import { putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { encoder, now, scratchStore, seriesNo } from "../cohort/scratch.ts"
import { keepMade, storeCohort } from "./made.ts"
import { unitVectors } from "./random.ts"

const better = "better-0123456789ab" as const
const count = 30
const dims = { [encoder]: 16, [better]: 24 } as const
const vectors = {
  [encoder]: unitVectors({ count: count + 2, dim: dims[encoder] }),
  [better]: unitVectors({ count: count + 2, dim: dims[better] }, 7),
}
const vectorOf = (under: typeof encoder | typeof better, n: number) =>
  vectors[under].slice(n * dims[under], (n + 1) * dims[under])
const later = (ms: number) => new Date(now.getTime() + ms)

/** A published cohort whose first `reembedded` series have features under the better encoder too. */
async function published(reembedded = count): Promise<ObjectStore> {
  const objects = scratchStore()
  const first = vectors[encoder].slice(0, count * dims[encoder])
  await storeCohort(objects, { cohort: "c", dim: dims[encoder], vectors: first })
  await publish(objects, { cohort: "c", now })
  await putJson(objects, keys.encoderPart(better, "encoder.json"), {})
  for (let n = 0; n < reembedded; n++) await keepMade(objects, seriesNo(n), vectorOf(better, n), better)
  return objects
}

const noProbes = { encoder: better as string, compare: async () => [] }

const probeThat = (after: number): ProbeChange => ({
  probe: "nodule",
  version: "20250304T050607008Z-01234567",
  compared: { metric: "auroc", series: count, before: 0.9, after, low: after - 0.95, high: after - 0.85 },
})

test("the flip changes the encoder, the snapshot and what a query is read with at once, and a rollback brings all back", async () => {
  const objects = await published()
  const views = liveViews(objects)
  const ask = async (n: number) =>
    search(objects, await views("c"), { cohort: "c", query: { series: seriesNo(n) }, k: 3 })
  const before = await ask(4)
  expect(before.encoder).toBe(encoder)

  const done = await publish(objects, { cohort: "c", now: later(1), change: noProbes })
  expect(done).toMatchObject({ encoder: better, promoted: true, reasons: [], missing: 0, unchanged: false })
  expect(done.change).toEqual({ from: encoder, lost: 0, probes: [] })
  expect((await getCohort(objects, "c")).encoder).toBe(better)
  expect(await listCohorts(objects)).toMatchObject([{ cohort: "c", encoder: better }])
  expect(await ask(4)).toMatchObject({ snapshot: done.snapshot, encoder: better, exact: true })
  expect((await listSnapshots(objects, "c"))[0].gate).toMatchObject({
    overlapAt10: null,
    change: done.change,
  })

  // Whoever embeds now does so with the new one.
  await expect(createCohort(objects, "c", encoder, now)).rejects.toMatchObject({ code: "wrong-encoder" })
  await createCohort(objects, "c", better, now)
  await keepMade(objects, seriesNo(count), vectorOf(better, count), better)
  await addMember(objects, "c", { series: seriesNo(count), source: "new" }, now)
  const query = { vector: [...vectorOf(better, count)], encoder: better }
  const found = await search(objects, await views("c"), { cohort: "c", query, k: 1 })
  expect(found).toMatchObject({ fresh: 1, neighbors: [{ id: seriesNo(count) }] })

  const back = await rollback(objects, { cohort: "c", now: later(2) })
  expect(back).toMatchObject({ snapshot: before.snapshot, encoder, fresh: 0, missing: 1 })
  expect((await getCohort(objects, "c")).encoder).toBe(encoder)
  const again = await ask(4)
  expect(again).toMatchObject({ snapshot: before.snapshot, neighbors: before.neighbors })
  expect(again.degraded).toEqual([expect.stringContaining(seriesNo(count))])
})

test("a pointer that is lost after the change leaves the cohort its encoder, and a publish heals it", async () => {
  const objects = await published()
  await publish(objects, { cohort: "c", now: later(1), change: noProbes })
  await objects.delete(keys.current("c"))
  expect((await getCohort(objects, "c")).encoder).toBe(better)
  expect(await publish(objects, { cohort: "c", now: later(2) })).toMatchObject({
    encoder: better,
    promoted: true,
  })
})

test("a vector that says of which encoder it is is refused by a cohort of another", async () => {
  const objects = await published()
  const query = { vector: [...vectorOf(encoder, 3)], encoder: better }
  const asked = search(objects, await liveViews(objects)("c"), { cohort: "c", query, k: 1 })
  await expect(asked).rejects.toMatchObject({
    code: "wrong-encoder",
    message: expect.stringContaining(encoder),
  })
})

test.each([
  [0.89, []],
  [0.87, [/auroc of probe nodule falls from 0.900 to 0.870, by more than 0.02 \(95 % -0.080 to 0.020\)/]],
])("a probe that comes to %f of 0.9", async (after, reasons) => {
  const objects = await published()
  const asked: unknown[] = []
  const compare = async (change: unknown) => {
    asked.push(change)
    return [probeThat(after)]
  }
  const done = await publish(objects, { cohort: "c", now: later(1), change: { encoder: better, compare } })
  expect(asked).toEqual([{ cohort: "c", from: encoder, to: better }])
  expect(done.promoted).toBe(reasons.length === 0)
  expect(done.reasons).toEqual(reasons.map((reason) => expect.stringMatching(reason)))
  expect((await getCohort(objects, "c")).encoder).toBe(done.promoted ? better : encoder)
})

test("a probe that could not be compared, and series that are not embedded yet, stand against the change, until somebody insists", async () => {
  const objects = await published(count - 3)
  // One that the old encoder could not read either is nobody's loss.
  await addMember(objects, "c", { series: seriesNo(count + 1), source: "no features" }, now)
  const lone = { probe: "nodule", version: "v", compared: null, message: "too few" }
  const change = { encoder: better, compare: async () => [lone] }
  const candidate = await publish(objects, { cohort: "c", now: later(1), change })
  expect(candidate).toMatchObject({ promoted: false, count: count - 3, missing: 4, change: { lost: 3 } })
  expect(candidate.reasons).toEqual([
    `3 series have features of ${encoder} and none of the new encoder: embed them with it`,
    "probe nodule could not be compared under the two encoders: too few",
  ])
  const forced = await publish(objects, { cohort: "c", now: later(2), force: true, change })
  expect(forced).toMatchObject({ promoted: true, reasons: candidate.reasons })
})

test("predictions stay columns: what a probe said of a series was said of the scan", async () => {
  const objects = await published()
  const said = { "probe.nodule": { [seriesNo(3)]: true } }
  await putPredictions(objects, "c", {
    probe: "nodule",
    version: "v",
    encoder,
    at: now.toISOString(),
    columns: said,
  })
  await publish(objects, { cohort: "c", now: later(1), change: noProbes })
  const query = { series: seriesNo(9) }
  const request = { cohort: "c", query, k: 1, filter: "probe.nodule=true" }
  const answer = await search(objects, await liveViews(objects)("c"), request)
  expect(answer).toMatchObject({ encoder: better, neighbors: [{ id: seriesNo(3) }] })
})

test("an encoder that the store has not, or under which nobody has features, changes nothing", async () => {
  const objects = await published(0)
  const asked = (change: typeof noProbes) => publish(objects, { cohort: "c", now: later(1), change })
  await expect(asked({ ...noProbes, encoder: "absent-0123456789ab" })).rejects.toMatchObject({
    code: "no-encoder",
    message: expect.stringContaining("absent-0123456789ab"),
  })
  await expect(asked(noProbes)).rejects.toMatchObject({ code: "empty-cohort" })
  expect(await listSnapshots(objects, "c")).toHaveLength(1)
})

test("the cohort's own encoder, named, is no change", async () => {
  const objects = await published()
  const compare = () => Promise.reject(new Error("nothing is to be compared"))
  const again = await publish(objects, { cohort: "c", now: later(1), change: { encoder, compare } })
  expect(again).toMatchObject({ unchanged: true, promoted: true, encoder })
  expect(again).not.toHaveProperty("change")
})

test("a publish under the old encoder that ends after the change does not undo it", async () => {
  const objects = await published()
  await addMember(objects, "c", { series: seriesNo(2), source: "again", metadata: { age: 3 } }, now)
  let changed: Promise<string> | undefined
  // The change goes live when the other has read the pointer and not yet the members.
  const interrupted: ObjectStore = {
    ...objects,
    async list(prefix) {
      if (prefix === keys.freshIn("c")) {
        changed ??= publish(objects, { cohort: "c", now: later(1), change: noProbes }).then(
          (done) => done.snapshot,
        )
        await changed
      }
      return objects.list(prefix)
    },
  }
  const nightly = await publish(interrupted, { cohort: "c", now: later(5) })
  expect(nightly).toMatchObject({ promoted: false, encoder, reasons: [] })
  expect(nightly.snapshot > (await changed!)).toBe(true)
  expect((await readPointer(objects, "c"))!.value).toMatchObject({ snapshot: await changed, encoder: better })
})
