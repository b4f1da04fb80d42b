import { execFileSync } from "node:child_process"
import { resolve } from "node:path"
import { describe, expect, test } from "vitest"
import { createCohort } from "#shared/cohort/cohort.ts"
import { deletedSeries } from "#shared/cohort/deletions.ts"
import { addMember, deleteMember, deleteSeries } from "#shared/cohort/members.ts"
import { readPointer } from "#shared/cohort/pointer.ts"
import { sha256 } from "#shared/ids.ts"
import { listSnapshots } from "#shared/retrieval/describe.ts"
import { hnswAvailable } from "#shared/retrieval/hnsw.ts"
import { openSnapshot, snapshotCache } from "#shared/retrieval/open.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { search } from "#shared/retrieval/search.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { encoder, now, scratchStore, seriesNo } from "../cohort/scratch.ts"
import { bruteForce } from "./brute-force.ts"
import { keepMade, storeCohort, viewOf } from "./made.ts"
import { unitVectors } from "./random.ts"

const dim = 24
const engine = (await hnswAvailable()).available ? "hnsw" : "exact"
const later = (ms: number) => new Date(now.getTime() + ms)
const small = (count: number) => ({ cohort: "c", dim, vectors: unitVectors({ count, dim }) })

test("what is published, opened and searched equals brute force on the same vectors", async () => {
  const objects = scratchStore()
  const count = 150
  // Not of unit length: publishing normalises.
  const vectors = unitVectors({ count, dim }).map((x) => 3 * x)
  const metadata = Array.from({ length: count }, (_, n) => ({ age: n, site: n % 3 === 0 ? "A" : null }))
  await storeCohort(objects, { cohort: "c", dim, vectors, metadata })
  const messages = new Set<string>()
  const published = await publish(objects, {
    cohort: "c",
    now,
    onProgress: ({ message }) => messages.add(message),
  })
  expect(published).toEqual({
    snapshot: expect.stringMatching(/^20250304T050607008Z-[0-9a-f]{8}$/),
    count,
    engine,
    recallAt10: expect.any(Number),
    promoted: true,
    reasons: [],
    encoder: expect.stringMatching(/^[a-z]+-[0-9a-f]{12}$/),
    unchanged: false,
    missing: 0,
  })
  expect(published.recallAt10).toBeGreaterThan(0.99)
  expect(messages).toContain("reading features")

  const snapshot = await openSnapshot(objects, "c")
  expect(snapshot.manifest).toMatchObject({
    snapshot: published.snapshot,
    count,
    dim,
    encoder,
    pooling: "mean",
  })
  const unit = await snapshot.vectors.read(Uint32Array.from({ length: count }, (_, row) => row))
  for (let n = 0; n < count; n += 7) {
    const query = unit.slice(n * dim, (n + 1) * dim)
    const rows = metadata.flatMap(({ age, site }) => (site === "A" && age !== n ? [age] : []))
    const truth = bruteForce(unit, query, { k: 5, rows })
    const request = { cohort: "c", query: { series: seriesNo(n) }, k: 5, filter: "site=A" }
    const answer = await search(objects, viewOf(snapshot), request)
    expect(answer.neighbors).toEqual(
      truth.map(({ row, score }) => ({
        id: seriesNo(row),
        score: expect.closeTo(score, 12),
        source: `scans/${row}.nii.gz`,
        metadata: { age: row, site: "A" },
      })),
    )
  }
})

test("publishing what is live already gives the live snapshot again", async () => {
  const objects = scratchStore()
  await storeCohort(objects, small(20))
  const first = await publish(objects, { cohort: "c", now })
  const stored = await objects.list("")
  const again = await publish(objects, { cohort: "c", now: later(1000) })
  expect(again).toEqual({ ...first, unchanged: true })
  expect(await objects.list("")).toEqual(stored)
})

test("what changes makes a new snapshot, and the pointer keeps the history", async () => {
  const objects = scratchStore()
  await storeCohort(objects, small(20))
  const first = await publish(objects, { cohort: "c", now })
  await addMember(objects, "c", { series: seriesNo(3), source: "x", metadata: { age: 1 } }, now)
  const second = await publish(objects, { cohort: "c", now: later(1) })
  await addMember(objects, "c", { series: seriesNo(3), source: "x", metadata: { age: 2 } }, now)
  const third = await publish(objects, { cohort: "c", now: later(2) })
  expect(new Set([first.snapshot, second.snapshot, third.snapshot]).size).toBe(3)
  const pointer = (await readPointer(objects, "c"))!.value
  expect(pointer.snapshot).toBe(third.snapshot)
  expect(pointer.history.map(({ snapshot }) => snapshot)).toEqual([second.snapshot, first.snapshot])
  const listed = await listSnapshots(objects, "c")
  expect(listed.map(({ snapshot, live, count }) => [snapshot, live, count])).toEqual([
    [third.snapshot, true, 20],
    [second.snapshot, false, 20],
    [first.snapshot, false, 20],
  ])
})

test("members without features are left out and counted", async () => {
  const objects = scratchStore()
  await storeCohort(objects, small(5))
  for (const n of [3, 100]) {
    await objects.delete(keys.features(encoder, seriesNo(n)))
    await addMember(objects, "c", { series: seriesNo(n), source: "x" }, now)
  }
  expect(await publish(objects, { cohort: "c", now })).toMatchObject({ count: 4, missing: 2 })
  expect((await openSnapshot(objects, "c")).rows.all()).toEqual([0, 1, 2, 4].map(seriesNo))
})

test("nothing to publish is a fault that says why", async () => {
  const objects = scratchStore()
  await expect(publish(objects, { cohort: "c", now })).rejects.toMatchObject({ code: "no-such-cohort" })
  await createCohort(objects, "c", encoder, now)
  await expect(publish(objects, { cohort: "c", now })).rejects.toMatchObject({
    kind: "conflict",
    code: "empty-cohort",
    message: expect.stringContaining("no series"),
  })
  await addMember(objects, "c", { series: seriesNo(1), source: "x" }, now)
  await expect(publish(objects, { cohort: "c", now })).rejects.toThrow("none of its 1 series has features")
  await expect(openSnapshot(objects, "c")).rejects.toMatchObject({ kind: "missing", code: "not-published" })
  await expect(openSnapshot(objects, "d")).rejects.toMatchObject({ kind: "missing", code: "no-such-cohort" })
})

test("features that point nowhere stop a publish by name", async () => {
  const objects = scratchStore()
  await storeCohort(objects, small(3))
  await keepMade(objects, seriesNo(9), new Float32Array(dim))
  await addMember(objects, "c", { series: seriesNo(9), source: "x" }, now)
  await expect(publish(objects, { cohort: "c", now })).rejects.toThrow(seriesNo(9))
  expect(await objects.list(keys.snapshots("c"))).toEqual([])
})

test("many publishes at once: each snapshot is whole, one is live, and it is the newest", async () => {
  const objects = scratchStore()
  await storeCohort(objects, small(12))
  await publish(objects, { cohort: "c", now })
  const racing = Array.from({ length: 6 }, async (_, i) => {
    await addMember(objects, "c", { series: seriesNo(i), source: `changed ${i}` }, now)
    return publish(objects, { cohort: "c", now: later(1 + i) })
  })
  const published = await Promise.all(racing)
  const { snapshot } = (await readPointer(objects, "c"))!.value
  expect(snapshot).toBe(
    published
      .map((p) => p.snapshot)
      .sort()
      .at(-1),
  )
  expect((await openSnapshot(objects, "c")).manifest.snapshot).toBe(snapshot)
  expect((await listSnapshots(objects, "c")).filter(({ live }) => live)).toHaveLength(1)
})

test("the same publish twice at one instant is one snapshot", async () => {
  const objects = scratchStore()
  await storeCohort(objects, small(12))
  const [a, b] = await Promise.all([
    publish(objects, { cohort: "c", now }),
    publish(objects, { cohort: "c", now }),
  ])
  expect(a.snapshot).toBe(b.snapshot)
  expect([a.promoted, b.promoted]).toEqual([true, true])
  expect(await listSnapshots(objects, "c")).toHaveLength(1)
  expect((await readPointer(objects, "c"))?.value.history).toEqual([])
})

describe("a flipped bit", () => {
  const parts = [
    "vectors.f32",
    "vectors.sha",
    "codes.head",
    "codes.i8",
    "rows.bin",
    "columns.bin",
    "manifest.json",
  ]
  test.each(engine === "hnsw" ? [...parts, "graph.hnsw"] : parts)(
    "of %s is found before anything is answered, and publishing again heals it",
    async (part) => {
      const objects = scratchStore()
      await storeCohort(objects, small(10))
      const { snapshot } = await publish(objects, { cohort: "c", now })
      const key = keys.snapshotPart("c", encoder, snapshot, part)
      const { bytes } = (await objects.get(key))!
      for (const byte of [0, bytes.length >> 1, bytes.length - 1]) {
        const flipped = bytes.slice()
        flipped[byte] ^= 4
        await objects.put(key, flipped)
        await expect(openSnapshot(objects, "c")).rejects.toMatchObject({
          kind: "unavailable",
          code: "corrupt-snapshot",
          message: expect.stringMatching(new RegExp(`^${part} .*publish the cohort again`)),
        })
      }
      const healed = await publish(objects, { cohort: "c", now: later(1) })
      expect(healed).toMatchObject({ unchanged: false, promoted: true })
      expect((await openSnapshot(objects, "c")).manifest.snapshot).toBe(healed.snapshot)
    },
  )

  test("a snapshot of an older format is told, and publishing again replaces it", async () => {
    const objects = scratchStore()
    await storeCohort(objects, small(10))
    await publish(objects, { cohort: "c", now })
    const { value: pointer } = (await readPointer(objects, "c"))!
    const key = keys.snapshotPart("c", encoder, pointer.snapshot, "manifest.json")
    const manifest = JSON.parse(new TextDecoder().decode((await objects.get(key))!.bytes))
    const older = JSON.stringify({ ...manifest, format: "voxkin-snapshot-1" })
    await objects.put(key, new TextEncoder().encode(older))
    const current = JSON.stringify({ ...pointer, manifest: sha256(older) })
    await objects.put(keys.current("c"), new TextEncoder().encode(current))
    await expect(openSnapshot(objects, "c")).rejects.toThrow(/format that this version cannot read.*publish/)
    const healed = await publish(objects, { cohort: "c", now: later(1) })
    expect((await openSnapshot(objects, "c")).manifest.snapshot).toBe(healed.snapshot)
  })

  test("a lost part is found too, and the cache opens the snapshot once it is back", async () => {
    const objects = scratchStore()
    await storeCohort(objects, small(10))
    const { snapshot } = await publish(objects, { cohort: "c", now })
    const key = keys.snapshotPart("c", encoder, snapshot, "rows.bin")
    const { bytes } = (await objects.get(key))!
    const cache = snapshotCache(objects)
    const open = async (cohort: string) => (await cache(cohort)).snapshot
    await objects.delete(key)
    await expect(open("c")).rejects.toThrow("rows.bin")
    await objects.put(key, bytes)
    expect((await open("c")).manifest.snapshot).toBe(snapshot)
  })
})

describe("the cache", () => {
  test("opens a snapshot once, sees a flip, and never mixes two", async () => {
    const objects = scratchStore()
    await storeCohort(objects, small(10))
    const first = await publish(objects, { cohort: "c", now })
    const cache = snapshotCache(objects)
    const open = async (cohort: string) => (await cache(cohort)).snapshot
    const [a, b] = await Promise.all([open("c"), open("c")])
    expect(a).toBe(b)
    expect(a.manifest.snapshot).toBe(first.snapshot)
    await deleteSeries(objects, seriesNo(4))
    const second = await publish(objects, { cohort: "c", now: later(1) })
    const c = await open("c")
    expect([c.manifest.snapshot, c.rows.count]).toEqual([second.snapshot, 9])
    expect([a.manifest.snapshot, a.rows.count]).toEqual([first.snapshot, 10])
  })

  test("keeps only the cohorts used last", async () => {
    const objects = scratchStore()
    for (const cohort of ["a", "b", "c"]) {
      await storeCohort(objects, { ...small(3), cohort })
      await publish(objects, { cohort, now })
    }
    const cache = snapshotCache(objects, { most: 2 })
    const open = async (cohort: string) => (await cache(cohort)).snapshot
    const a = await open("a")
    await open("b")
    expect(await open("a")).toBe(a)
    await open("c")
    expect(await open("a")).toBe(a)
    const b = await open("b")
    expect(await open("b")).toBe(b)
    expect(await open("a")).toBe(a)
    expect(await open("c")).not.toBe(undefined)
  })
})

describe("deletions", () => {
  test("markers stay while a snapshot that may be open holds the series, then go", async () => {
    const objects = scratchStore()
    await storeCohort(objects, small(10))
    await publish(objects, { cohort: "c", now })
    await deleteSeries(objects, seriesNo(4))
    await publish(objects, { cohort: "c", now: later(1) })
    // A reader may have opened the first snapshot just before the flip.
    expect(await deletedSeries(objects, "c")).toEqual(new Set([seriesNo(4)]))
    await addMember(objects, "c", { series: seriesNo(5), source: "changed" }, now)
    await publish(objects, { cohort: "c", now: later(2) })
    expect(await deletedSeries(objects, "c")).toEqual(new Set())
  })

  /** The store, with something that happens just before the new manifest is written. */
  function during(objects: ObjectStore, happening: () => Promise<void>): ObjectStore {
    return {
      ...objects,
      async put(key, bytes, condition) {
        if (key.endsWith("/manifest.json")) await happening()
        return objects.put(key, bytes, condition)
      },
    }
  }

  test("one during a publish holds, though the new snapshot has the series", async () => {
    const objects = scratchStore()
    await storeCohort(objects, small(10))
    await publish(
      during(objects, () => deleteMember(objects, "c", seriesNo(4))),
      { cohort: "c", now },
    )
    const snapshot = await openSnapshot(objects, "c")
    expect(snapshot.rows.all()).toContain(seriesNo(4))
    expect(await deletedSeries(objects, "c")).toEqual(new Set([seriesNo(4)]))
  })

  test("a member that vanished during a publish is marked, even when nobody left a marker", async () => {
    const objects = scratchStore()
    await storeCohort(objects, small(10))
    const vanish = () => objects.delete(keys.member("c", seriesNo(4)))
    await publish(during(objects, vanish), { cohort: "c", now })
    expect(await deletedSeries(objects, "c")).toEqual(new Set([seriesNo(4)]))
  })
})

test("without hnswlib-node the same cohort is published and answered by the exact engine", () => {
  const child = resolve(import.meta.dirname, "without-hnsw.ts")
  const answer = JSON.parse(execFileSync(process.execPath, ["--import", "tsx", child], { encoding: "utf8" }))
  expect(answer).toEqual({
    available: false,
    reason: expect.stringContaining("hnswlib-node"),
    published: { engine: "exact", recallAt10: 1, count: 8, promoted: true },
    plan: "exact",
    ids: [1, 2],
    refused: "no-hnsw",
  })
})
