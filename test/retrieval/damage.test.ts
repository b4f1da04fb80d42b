import { describe, expect, test, vi } from "vitest"
import { getCohort } from "#shared/cohort/cohort.ts"
import { addMember, deleteMember } from "#shared/cohort/members.ts"
import { listSnapshots } from "#shared/retrieval/describe.ts"
import { hnswAvailable } from "#shared/retrieval/hnsw.ts"
import { liveViews } from "#shared/retrieval/live.ts"
import { prune } from "#shared/retrieval/prune.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { search } from "#shared/retrieval/search.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { encoder, now, scratchStore, seriesNo } from "../cohort/scratch.ts"
import { keepMade, storeCohort } from "./made.ts"
import { unitVectors } from "./random.ts"

const dim = 6
const count = 12
const vectors = unitVectors({ count, dim })
const vector = (n: number) => vectors.slice(n * dim, (n + 1) * dim)
const later = (ms: number) => new Date(now.getTime() + ms)
const parts = [
  "vectors.f32",
  "vectors.sha",
  "codes.head",
  "codes.i8",
  "rows.bin",
  "columns.bin",
  "manifest.json",
]
const engine = (await hnswAvailable()).available ? "hnsw" : "exact"

async function flipBit(objects: ObjectStore, snapshot: string, part: string): Promise<() => Promise<string>> {
  const key = keys.snapshotPart("c", encoder, snapshot, part)
  const { bytes } = (await objects.get(key))!
  const flipped = bytes.slice()
  flipped[bytes.length >> 1] ^= 1
  await objects.put(key, flipped)
  return () => objects.put(key, bytes)
}

/** Two snapshots: the second has lost series 1 and won series 10, and its folding has cleared the markers. */
async function twoSnapshots() {
  const objects = scratchStore()
  await storeCohort(objects, { cohort: "c", dim, vectors: vectors.slice(0, 10 * dim) })
  const first = await publish(objects, { cohort: "c", now })
  const views = liveViews(objects)
  const ask = async (from = views, k = 10) =>
    search(objects, await from("c"), { cohort: "c", query: { vector: [...vector(10)] }, k })
  await ask()
  const second = async () => {
    await deleteMember(objects, "c", seriesNo(1))
    await keepMade(objects, seriesNo(10), vector(10))
    await addMember(objects, "c", { series: seriesNo(10), source: "x" }, now)
    return (await publish(objects, { cohort: "c", now: later(1) })).snapshot
  }
  return { objects, first: first.snapshot, second, ask }
}

describe("a bit flipped in a snapshot that has just gone live", () => {
  test.each(engine === "hnsw" ? [...parts, "graph.hnsw"] : parts)(
    "in %s is found before it answers; the one before answers, with what came and left since, and says so",
    async (part) => {
      const { objects, first, second, ask } = await twoSnapshots()
      const live = await second()
      await flipBit(objects, live, part)
      for (const views of [undefined, liveViews(objects)]) {
        const answer = await ask(views)
        expect(answer.snapshot).toBe(first)
        expect(answer.degraded).toEqual([expect.stringMatching(new RegExp(`^${part} of snapshot ${live}`))])
        expect(answer.fresh).toBe(1)
        const ids = answer.neighbors.map(({ id }) => id)
        expect(ids[0]).toBe(seriesNo(10))
        expect(ids.toSorted()).toEqual([0, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(seriesNo))
      }
      await deleteMember(objects, "c", seriesNo(10))
      expect((await ask()).neighbors.map(({ id }) => id)).not.toContain(seriesNo(10))

      const healed = await publish(objects, { cohort: "c", now: later(2) })
      const answer = await ask(undefined, healed.count)
      expect(answer.snapshot).toBe(healed.snapshot)
      expect(answer).not.toHaveProperty("degraded")
    },
  )

  test("walks the history back to the newest whole one, and faults only when there is none", async () => {
    const { objects, first, second, ask } = await twoSnapshots()
    const middle = await second()
    await addMember(objects, "c", { series: seriesNo(2), source: "again" }, now)
    const third = await publish(objects, { cohort: "c", now: later(2) })
    await flipBit(objects, third.snapshot, "rows.bin")
    expect((await ask(liveViews(objects))).snapshot).toBe(middle)
    await flipBit(objects, middle, "vectors.f32")
    expect((await ask(liveViews(objects))).snapshot).toBe(first)
    await flipBit(objects, first, "columns.bin")
    const damaged = { code: "corrupt-snapshot", message: expect.stringContaining(third.snapshot) }
    await expect(ask(liveViews(objects))).rejects.toMatchObject(damaged)
  })

  test("of the pointer: what it named last answers on, with what came since, until it is restored", async () => {
    const { objects, first, ask } = await twoSnapshots()
    const views = liveViews(objects)
    expect((await ask(views)).snapshot).toBe(first)
    const { bytes } = (await objects.get(keys.current("c")))!
    await objects.put(keys.current("c"), bytes.slice(0, -1))
    await keepMade(objects, seriesNo(10), vector(10))
    await addMember(objects, "c", { series: seriesNo(10), source: "x" }, now)
    const answer = await ask(views)
    expect(answer).toMatchObject({
      snapshot: first,
      fresh: 1,
      degraded: [expect.stringContaining("current.json")],
    })
    expect(answer.neighbors[0].id).toBe(seriesNo(10))
    await expect(ask(liveViews(objects))).rejects.toMatchObject({ code: "corrupt-object" })
    await objects.put(keys.current("c"), bytes)
    expect(await ask(views)).not.toHaveProperty("degraded")
  })

  test("of the pointer is healed by a publish, and takes no snapshot along", async () => {
    const { objects, first, ask } = await twoSnapshots()
    await objects.put(keys.current("c"), new TextEncoder().encode("{}"))
    expect(await getCohort(objects, "c")).toMatchObject({ cohort: "c", encoder })
    await prune(objects, "c")
    const healed = await publish(objects, { cohort: "c", now: later(1) })
    expect(healed).toMatchObject({ promoted: true, unchanged: false, encoder })
    expect(await ask(liveViews(objects))).toMatchObject({ snapshot: healed.snapshot })
    expect((await listSnapshots(objects, "c")).map(({ snapshot }) => snapshot)).toEqual([
      healed.snapshot,
      first,
    ])
  })

  test("is looked for again after a minute: once restored, the live one answers", async () => {
    const { objects, first, second, ask } = await twoSnapshots()
    const live = await second()
    const restore = await flipBit(objects, live, "vectors.f32")
    expect((await ask()).snapshot).toBe(first)
    await restore()
    expect((await ask()).snapshot).toBe(first)
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 })
    try {
      expect((await ask()).snapshot).toBe(live)
    } finally {
      vi.useRealTimers()
    }
  })
})
