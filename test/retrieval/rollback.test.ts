import { describe, expect, test } from "vitest"
import { createCohort } from "#shared/cohort/cohort.ts"
import { freshMarkers } from "#shared/cohort/fresh.ts"
import { addMember, deleteMember } from "#shared/cohort/members.ts"
import { readPointer } from "#shared/cohort/pointer.ts"
import { listSnapshots } from "#shared/retrieval/describe.ts"
import { liveViews } from "#shared/retrieval/live.ts"
import { keptSnapshots, prune } from "#shared/retrieval/prune.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { rollback } from "#shared/retrieval/rollback.ts"
import { search } from "#shared/retrieval/search.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { encoder, now, scratchStore, seriesNo } from "../cohort/scratch.ts"
import { keepMade, storeCohort } from "./made.ts"
import { unitVectors } from "./random.ts"

const dim = 6
const vectors = unitVectors({ count: 20, dim })
const vector = (n: number) => vectors.slice(n * dim, (n + 1) * dim)
const later = (ms: number) => new Date(now.getTime() + ms)

/** Publishes ten series, and once more after each further one; returns the snapshots, oldest first. */
async function publishedTimes(objects: ObjectStore, times: number): Promise<string[]> {
  await storeCohort(objects, { cohort: "c", dim, vectors: vectors.slice(0, 10 * dim) })
  const made = [(await publish(objects, { cohort: "c", now })).snapshot]
  for (let i = 1; i < times; i++) {
    await add(objects, 9 + i)
    made.push((await publish(objects, { cohort: "c", now: later(i) })).snapshot)
  }
  return made
}

async function add(objects: ObjectStore, n: number) {
  await keepMade(objects, seriesNo(n), vector(n))
  await addMember(objects, "c", { series: seriesNo(n), source: `scans/${n}.nii.gz` }, now)
}

test("a rollback goes back one, then one more; the deleted stay gone, the newer are scanned, a publish folds them in", async () => {
  const objects = scratchStore()
  const views = liveViews(objects)
  const [a, b, c] = await publishedTimes(objects, 3)
  const ask = async (k: number) =>
    search(objects, await views("c"), { cohort: "c", query: { vector: [...vector(10)] }, k })
  expect(await ask(12)).toMatchObject({ snapshot: c, fresh: 0 })
  // Its marker is gone after two publishes, and the older snapshots hold it still.
  await deleteMember(objects, "c", seriesNo(4))
  const d = (await publish(objects, { cohort: "c", now: later(5) })).snapshot
  await add(objects, 13)
  const e = (await publish(objects, { cohort: "c", now: later(6) })).snapshot

  const all = (await ask(12)).neighbors
  expect(await rollback(objects, { cohort: "c", now: later(7) })).toEqual({
    snapshot: d,
    from: e,
    count: 11,
    encoder,
    fresh: 1,
    missing: 0,
  })
  expect(await ask(12)).toMatchObject({ snapshot: d, fresh: 1, neighbors: all })
  expect(await rollback(objects, { cohort: "c", now: later(8) })).toMatchObject({ snapshot: c, from: d })
  expect(await ask(12)).toMatchObject({ snapshot: c, fresh: 1, neighbors: all })
  expect(await rollback(objects, { cohort: "c", to: a, now: later(9) })).toMatchObject({
    snapshot: a,
    from: c,
    fresh: 3,
  })
  expect(await ask(12)).toMatchObject({ snapshot: a, fresh: 3, neighbors: all })
  expect(await ask(12)).not.toHaveProperty("degraded")
  expect((await readPointer(objects, "c"))!.value.history.map(({ snapshot }) => snapshot)).toEqual([
    c,
    d,
    e,
    d,
    c,
    b,
    a,
  ])

  const f = await publish(objects, { cohort: "c", now: later(10) })
  expect(f).toMatchObject({ promoted: true, count: 12 })
  expect(await ask(12)).toMatchObject({ snapshot: f.snapshot, fresh: 0, neighbors: all })
  expect(await freshMarkers(objects, "c")).toEqual([])
})

test("a damaged snapshot is passed over, and refused when asked for by name", async () => {
  const objects = scratchStore()
  const [a, b, c] = await publishedTimes(objects, 3)
  const key = keys.snapshotPart("c", encoder, b, "vectors.f32")
  const bytes = (await objects.get(key))!.bytes.slice()
  bytes[7] ^= 16
  await objects.put(key, bytes)
  const order = { cohort: "c", now: later(9) }
  await expect(rollback(objects, { ...order, to: b })).rejects.toMatchObject({ code: "corrupt-snapshot" })
  expect(await rollback(objects, order)).toMatchObject({ snapshot: a, from: c })
  await expect(rollback(objects, order)).rejects.toMatchObject({ kind: "conflict", code: "nothing-before" })
})

test("what was never live, never published or never made is refused by name", async () => {
  const objects = scratchStore()
  const order = { cohort: "c", now }
  await expect(rollback(objects, order)).rejects.toMatchObject({ code: "no-such-cohort" })
  await createCohort(objects, "c", encoder, now)
  await expect(rollback(objects, order)).rejects.toMatchObject({ code: "not-published" })
  const [a] = await publishedTimes(objects, 2)
  const never = rollback(objects, { ...order, to: "20250304T050607008Z-01234567" })
  await expect(never).rejects.toMatchObject({ kind: "missing", code: "no-such-snapshot" })
  await expect(never).rejects.toThrow(a)
})

test("the newest five snapshots and the live one are kept, older ones and their leftovers go", async () => {
  const objects = scratchStore()
  const made = await publishedTimes(objects, 6)
  const kept = async () => (await listSnapshots(objects, "c")).map(({ snapshot }) => snapshot).reverse()
  expect(keptSnapshots).toBe(5)
  expect(await kept()).toEqual(made.slice(1))
  expect((await objects.list(keys.snapshots("c"))).filter((key) => key.includes(made[0]))).toEqual([])

  // Parts without a manifest: an old one was left by a publish that was killed, a new one may be under way.
  const [old, young] = ["20200101T000000000Z-01234567", "20990101T000000000Z-01234567"]
  for (const id of [old, young])
    await objects.put(keys.snapshotPart("c", encoder, id, "rows.bin"), new Uint8Array(1))
  await rollback(objects, { cohort: "c", to: made[1], now: later(8) })
  // A publish that dies before it flips the pointer leaves a whole snapshot, the fifth beside the live one.
  const dying: ObjectStore = {
    ...objects,
    async put(key, bytes, condition) {
      if (key === keys.current("c")) throw new Error("killed here")
      return objects.put(key, bytes, condition)
    },
  }
  await add(objects, 17)
  await expect(publish(dying, { cohort: "c", now: later(9) })).rejects.toThrow("killed here")
  await prune(objects, "c")
  expect(await kept()).toEqual([...made.slice(1), expect.any(String)])
  await add(objects, 18)
  const last = await publish(objects, { cohort: "c", now: later(10) })
  const left = new Set((await objects.list(keys.snapshots("c"))).map((key) => key.split("/")[3]))
  expect(left.has(old)).toBe(false)
  expect(left.has(young)).toBe(true)
  // Five that were live, and the one that never was.
  expect(await kept()).toEqual([...made.slice(2), expect.any(String), last.snapshot])
  expect((await kept()).at(-1)).toBe(last.snapshot)
})

describe("a publish that prunes while a rollback goes on", () => {
  /** Six snapshots, all whole: the oldest is one too many. */
  async function oneTooMany(objects: ObjectStore) {
    const made = await publishedTimes(objects, 5)
    await add(objects, 14)
    // Its own prune comes later.
    const unpruned: ObjectStore = {
      ...objects,
      delete: async (key) => void (key.startsWith("fresh/") && objects.delete(key)),
    }
    return [...made, (await publish(unpruned, { cohort: "c", now: later(6) })).snapshot]
  }
  const manifestOf = (snapshot: string) => keys.snapshotPart("c", encoder, snapshot, "manifest.json")
  const ask = async (objects: ObjectStore) =>
    search(objects, await liveViews(objects)("c"), { cohort: "c", query: { vector: [...vector(3)] }, k: 4 })

  test("keeps what came back before it took the manifest away for good", async () => {
    const objects = scratchStore()
    const [a] = await oneTooMany(objects)
    // The rollback flips when the pruner has read the pointer, and looks for the manifest before that is gone.
    let rolled: Promise<unknown> | undefined
    const pruner: ObjectStore = {
      ...objects,
      async delete(key) {
        rolled ??= rollback(objects, { cohort: "c", to: a, now: later(8) })
        await rolled
        return objects.delete(key)
      },
    }
    await prune(pruner, "c")
    expect(await rolled).toMatchObject({ snapshot: a })
    const answer = await ask(objects)
    expect(answer.snapshot).toBe(a)
    expect(answer).not.toHaveProperty("degraded")
  })

  test("what it took is not live: the rollback says so, and what was live answers on", async () => {
    const objects = scratchStore()
    const made = await oneTooMany(objects)
    const [a, live] = [made[0], made.at(-1)!]
    // The pruner is done with it between the rollback's check of its parts and its flip.
    let pruned: Promise<void> | undefined
    const roller: ObjectStore = {
      ...objects,
      async put(key, bytes, condition) {
        if (key === keys.current("c")) {
          pruned ??= prune(objects, "c")
          await pruned
        }
        return objects.put(key, bytes, condition)
      },
    }
    const back = rollback(roller, { cohort: "c", to: a, now: later(8) })
    await expect(back).rejects.toMatchObject({ code: "pointer-busy", message: expect.stringContaining(a) })
    expect(await objects.has(manifestOf(a))).toBe(false)
    const answer = await ask(objects)
    expect(answer.snapshot).toBe(live)
    expect(answer).not.toHaveProperty("degraded")
  })
})
