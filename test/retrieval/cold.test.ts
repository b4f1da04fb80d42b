import { expect, test, vi } from "vitest"
import { addMember } from "#shared/cohort/members.ts"
import { hnswAvailable } from "#shared/retrieval/hnsw.ts"
import { liveViews, type Views, withView } from "#shared/retrieval/live.ts"
import { openSnapshot } from "#shared/retrieval/open.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { search } from "#shared/retrieval/search.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { encoder, now, scratchStore, seriesNo } from "../cohort/scratch.ts"
import { storeCohort } from "./made.ts"
import { unitVectors } from "./random.ts"

const dim = 40
const count = 200
const vectors = unitVectors({ count, dim })
const later = (ms: number) => new Date(now.getTime() + ms)
const { available } = await hnswAvailable()

/** Two snapshots of the same vectors; the second one is live. */
async function published(): Promise<{ objects: ObjectStore; first: string; live: string }> {
  const objects = scratchStore()
  await storeCohort(objects, { cohort: "c", dim, vectors })
  const first = await publish(objects, { cohort: "c", now })
  await addMember(objects, "c", { series: seriesNo(0), source: "again" }, now)
  const { snapshot: live } = await publish(objects, { cohort: "c", now: later(1) })
  return { objects, first: first.snapshot, live }
}

/** Never warm by itself, however small it is. */
const coldViews = (objects: ObjectStore) => liveViews(objects, { warmUpTo: 0 })

function ask(objects: ObjectStore, views: Views, row: number, k = 5) {
  const query = { vector: [...vectors.subarray(row * dim, (row + 1) * dim)] }
  return withView(views, "c", (view) => search(objects, view, { cohort: "c", query, k }))
}

/** Flips a bit of a part, in the row given. */
async function flip(objects: ObjectStore, snapshot: string, part: string, row: number) {
  const key = keys.snapshotPart("c", encoder, snapshot, part)
  const { bytes } = (await objects.get(key))!
  const flipped = bytes.slice()
  flipped[4 * dim * row + 5] ^= 1
  await objects.put(key, flipped)
  return () => objects.put(key, bytes)
}

test("answers exactly from the codes and a few vectors before the rest is loaded, and says that it was cold", async () => {
  const { objects } = await published()
  let read = 0
  const counting: ObjectStore = {
    ...objects,
    async get(key, range) {
      const found = await objects.get(key, range)
      if (key.endsWith("vectors.f32")) read += found?.bytes.length ?? 0
      return found
    },
  }
  const views = coldViews(counting)
  const warm = liveViews(objects)
  for (const row of [3, 77, 150]) {
    const { ms, cold, ...answer } = await ask(objects, views, row)
    const { ms: _, cold: __, ...expected } = await ask(objects, warm, row)
    expect(answer).toEqual(expected)
    expect(answer.exact).toBe(true)
    expect(cold).toBe(row === 3)
    expect(read).toBe(answer.rescored * 4 * dim)
    read = 0
  }
  const { snapshot } = await views("c")
  expect(snapshot.graph).toBeUndefined()
  await snapshot.warm()
  expect(snapshot.graph !== undefined).toBe(available)
  read = 0
  expect((await ask(objects, views, 3)).neighbors[0].id).toBe(seriesNo(3))
  expect(read).toBe(0)
})

test("a series of the snapshot is a query, though its vector is still in the store", async () => {
  const { objects } = await published()
  const request = { cohort: "c", query: { series: seriesNo(9) }, k: 3 }
  const [cold, warm] = [await coldViews(objects)("c"), await liveViews(objects)("c")]
  expect((await search(objects, cold, request)).neighbors).toEqual(
    (await search(objects, warm, request)).neighbors,
  )
})

test("a damaged vector that the question turns on: the snapshot before answers, and goes on to", async () => {
  const { objects, first, live } = await published()
  const restore = await flip(objects, live, "vectors.f32", 3)
  const views = coldViews(objects)
  for (const row of [3, 50]) {
    const answer = await ask(objects, views, row)
    expect(answer.snapshot).toBe(first)
    expect(answer.neighbors[0]).toMatchObject({ id: seriesNo(row), score: expect.closeTo(1, 6) })
    expect(answer.degraded).toEqual([expect.stringMatching(new RegExp(`^vectors.f32 of snapshot ${live}`))])
  }
  // All of it is looked at before it may answer again.
  const minutes = (n: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + n * 61_000 })
  try {
    minutes(1)
    expect((await ask(objects, views, 50)).snapshot).toBe(first)
    await restore()
    minutes(2)
    expect((await ask(objects, views, 50)).snapshot).toBe(live)
  } finally {
    vi.useRealTimers()
  }
})

test("damaged codes, which every question turns on: the snapshot before answers, and goes on to", async () => {
  const { objects, first, live } = await published()
  await flip(objects, live, "codes.i8", 20)
  const views = coldViews(objects)
  for (const row of [3, 50]) {
    const answer = await ask(objects, views, row)
    expect(answer).toMatchObject({ snapshot: first, neighbors: [{ id: seriesNo(row) }, {}, {}, {}, {}] })
    expect(answer.degraded).toEqual([expect.stringMatching(new RegExp(`^codes.i8 of snapshot ${live}`))])
  }
})

test("the first question reads the codes and keeps none; the next ones share what is kept from then on", async () => {
  const { objects } = await published()
  let read = 0
  const counting: ObjectStore = {
    ...objects,
    get(key, range) {
      if (key.endsWith("codes.i8")) read++
      return objects.get(key, range)
    },
  }
  const views = coldViews(counting)
  const rows = [3, 9, 77, 150, 199]
  for (const reads of [1, 2, 2]) {
    const [row] = rows
    expect((await ask(objects, views, row)).neighbors[0].id).toBe(seriesNo(row))
    expect(read).toBe(reads)
  }
  read = 0
  const together = coldViews(counting)
  const answers = await Promise.all(rows.map((row) => ask(objects, together, row)))
  expect(answers.map(({ neighbors }) => neighbors[0].id)).toEqual(rows.map(seriesNo))
  expect(read).toBe(2)
})

test.each(available ? ["vectors.f32", "graph.hnsw"] : ["vectors.f32"])(
  "damage in %s that no question met is found when the rest is loaded",
  async (part) => {
    const { objects, first, live } = await published()
    await flip(objects, live, part, 120)
    const views = coldViews(objects)
    const answer = await ask(objects, views, 3, 1)
    expect(answer).toMatchObject({ snapshot: live, exact: true, neighbors: [{ id: seriesNo(3) }] })
    await (await views("c")).snapshot.warm()
    expect(await ask(objects, views, 120)).toMatchObject({
      snapshot: first,
      degraded: [expect.stringContaining(part)],
      neighbors: [{ id: seriesNo(120) }, {}, {}, {}, {}],
    })
  },
)

test("with every snapshot damaged the answer is a fault that names the first", async () => {
  const { objects, first, live } = await published()
  for (const snapshot of [first, live]) await flip(objects, snapshot, "vectors.f32", 3)
  const damaged = { code: "corrupt-snapshot", message: expect.stringContaining(live) }
  await expect(ask(objects, coldViews(objects), 3)).rejects.toMatchObject(damaged)
})

test("where memory is short, codes and single vectors go on answering", async () => {
  const { objects, live } = await published()
  const snapshot = await openSnapshot(objects, "c", 0)
  const { availableMemory } = process
  process.availableMemory = () => 4 * dim * count
  try {
    await snapshot.warm()
    expect(snapshot.graph).toBeUndefined()
    expect((await snapshot.exact.search(vectors.slice(0, dim), { k: 1 })).found).toMatchObject([{ row: 0 }])
    expect(snapshot.manifest.snapshot).toBe(live)
  } finally {
    process.availableMemory = availableMemory
  }
  await snapshot.warm()
  expect(snapshot.graph !== undefined).toBe(available)
})

test("a store that fails for a moment is no damage", async () => {
  const { objects, live } = await published()
  let failing = true
  const shaky: ObjectStore = {
    ...objects,
    get: async (key, range) => {
      if (failing && key.endsWith("vectors.f32")) throw new Error("the network is gone")
      return objects.get(key, range)
    },
  }
  const snapshot = await openSnapshot(shaky, "c", 0)
  const query = vectors.slice(0, dim)
  await expect(snapshot.exact.search(query, { k: 1 })).rejects.toThrow("the network is gone")
  await snapshot.warm()
  expect([snapshot.damage, snapshot.graph]).toEqual([undefined, undefined])
  failing = false
  await snapshot.warm()
  expect((await snapshot.exact.search(query, { k: 1 })).found).toMatchObject([{ row: 0 }])
  expect(snapshot.manifest.snapshot).toBe(live)
})
