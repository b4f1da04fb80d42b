import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { freshMarkers } from "#shared/cohort/fresh.ts"
import { addMember, deleteMember, deleteSeries, type Scalars } from "#shared/cohort/members.ts"
import { liveViews } from "#shared/retrieval/live.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { SearchAnswer, search } from "#shared/retrieval/search.ts"
import { diskStore } from "#shared/store/disk.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { unit } from "#shared/vector.ts"
import { encoder, now, scratchStore, seriesNo } from "../cohort/scratch.ts"
import { bruteForce } from "./brute-force.ts"
import { keepMade, storeCohort } from "./made.ts"
import { random, unitVectors } from "./random.ts"

const dim = 6
const later = (ms: number) => new Date(now.getTime() + ms)

async function add(objects: ObjectStore, n: number, vector: Float32Array, metadata: Scalars = {}) {
  await keepMade(objects, seriesNo(n), vector)
  await addMember(objects, "c", { series: seriesNo(n), source: `scans/${n}.nii.gz`, metadata }, now)
}

test("whatever is published, added, added again and deleted, the answer is brute force on the members", async () => {
  const next = random(11)
  const below = (n: number) => Math.floor(next() * n)
  for (let round = 0; round < 12; round++) {
    const objects = scratchStore()
    const views = liveViews(objects)
    const all = unitVectors({ count: 30, dim }, 100 + round)
    const vector = (n: number) => all.slice(n * dim, (n + 1) * dim)
    const members = new Map<number, number>(Array.from({ length: 12 }, (_, n) => [n, below(5)]))
    const metadata = [...members.values()].map((age) => ({ age }))
    await storeCohort(objects, { cohort: "c", dim, vectors: all.slice(0, 12 * dim), metadata })
    let snapshot = (await publish(objects, { cohort: "c", now })).snapshot
    const published = new Set(members.keys())
    const touched = new Set<number>()

    for (let step = 1; step <= 14; step++) {
      const n = below(30)
      if (below(6) === 0 && members.size > 0) {
        snapshot = (await publish(objects, { cohort: "c", now: later(step) })).snapshot
        published.clear()
        for (const member of members.keys()) published.add(member)
        touched.clear()
        expect(await freshMarkers(objects, "c")).toEqual([])
      } else if (members.has(n) && below(3) > 0) {
        await deleteMember(objects, "c", seriesNo(n))
        members.delete(n)
        touched.delete(n)
      } else {
        members.set(n, below(5))
        touched.add(n)
        await add(objects, n, vector(n), { age: members.get(n)! })
      }
      const own = below(30)
      const least = below(5)
      const filter = below(2) === 0 ? `age>=${least}` : undefined
      // A process that has just started sees what one that was there all along sees.
      const view = await (below(2) === 0 ? views : liveViews(objects))("c")
      const request = { cohort: "c", k: Math.max(1, members.size), filter, exact: true }
      const query = { vector: [...vector(own)], except: seriesNo(own) }
      const asked = search(objects, view, { ...request, query })
      const rows = [...members]
        .filter(([row, age]) => row !== own && (!filter || age >= least))
        .map(([row]) => row)
      const truth = bruteForce(all, unit(vector(own))!, { k: request.k, rows: rows.sort((a, b) => a - b) })
      const answer = await asked
      expect(answer.neighbors.map(({ id }) => id)).toEqual(truth.map(({ row }) => seriesNo(row)))
      expect(answer).toMatchObject({
        exact: true,
        snapshot,
        shortBy: request.k - truth.length,
        scanned: truth.length,
        fresh: rows.filter((row) => touched.has(row)).length,
      })
      for (const [i, { score, metadata }] of answer.neighbors.entries()) {
        expect(score).toBeCloseTo(truth[i].score, 6)
        expect(metadata).toEqual({ age: members.get(truth[i].row) })
      }
      expect(SearchAnswer.parse(answer)).toEqual(answer)
    }
  }
})

describe("a fresh series", () => {
  const vectors = unitVectors({ count: 12, dim })
  const vector = (n: number) => vectors.slice(n * dim, (n + 1) * dim)
  async function published(metadata?: Scalars[]) {
    const objects = scratchStore()
    await storeCohort(objects, { cohort: "c", dim, vectors: vectors.slice(0, 10 * dim), metadata })
    await publish(objects, { cohort: "c", now })
    const views = liveViews(objects)
    const ask = async (more: { k?: number; filter?: string } = {}) =>
      search(objects, await views("c"), { cohort: "c", query: { vector: [...vector(10)] }, k: 3, ...more })
    return { objects, ask }
  }

  test("without features, or damaged, is left out; that is said, and the rest answers", async () => {
    const { objects, ask } = await published()
    await addMember(objects, "c", { series: seriesNo(10), source: "x" }, now)
    expect(await ask()).toMatchObject({
      fresh: 0,
      shortBy: 0,
      degraded: [`newer series without features under ${encoder} are not found: add ${seriesNo(10)} again`],
    })
    await objects.put(keys.features(encoder, seriesNo(10)), new TextEncoder().encode("damaged"))
    const answer = await ask()
    expect(answer).toMatchObject({ fresh: 0, degraded: [expect.stringContaining(seriesNo(10))] })
    await objects.delete(keys.features(encoder, seriesNo(10)))
    await keepMade(objects, seriesNo(10), vector(10))
    expect((await ask()).neighbors[0].id).toBe(seriesNo(10))
  })

  test("is filtered by the snapshot's columns: a value of another type is absent, a new column unknown", async () => {
    const { objects, ask } = await published(Array.from({ length: 10 }, (_, age) => ({ age })))
    await add(objects, 10, vector(10), { age: "old", site: "A" })
    const first = (await ask()).neighbors[0]
    expect(first).toMatchObject({ id: seriesNo(10), metadata: { age: "old", site: "A" } })
    expect((await ask({ filter: "!(age exists)", k: 1 })).neighbors.map(({ id }) => id)).toEqual([
      seriesNo(10),
    ])
    expect((await ask({ filter: "age>=0", k: 11 })).neighbors).toHaveLength(10)
    await expect(ask({ filter: "site=A" })).rejects.toMatchObject({ code: "unknown-column" })
  })

  test("may be asked for as one of k, and k beyond all is refused", async () => {
    const { objects, ask } = await published()
    await expect(ask({ k: 11 })).rejects.toMatchObject({ code: "bad-k" })
    await add(objects, 10, vector(10))
    expect((await ask({ k: 11 })).neighbors).toHaveLength(11)
  })

  test("that was added during a publish stays found after it, and its marker stays", async () => {
    const { objects, ask } = await published()
    await add(objects, 3, vector(3), { age: 1 })
    let added = false
    const during: ObjectStore = {
      ...objects,
      async put(key, bytes, condition) {
        if (key.endsWith("/manifest.json") && !added) {
          added = true
          await add(objects, 10, vector(10))
        }
        return objects.put(key, bytes, condition)
      },
    }
    await publish(during, { cohort: "c", now: later(1) })
    expect((await freshMarkers(objects, "c")).map(({ series }) => series)).toEqual([seriesNo(10)])
    expect((await ask()).neighbors[0].id).toBe(seriesNo(10))
  })

  test("that is deleted everywhere is gone, and no cache brings it back", async () => {
    const { objects, ask } = await published()
    await add(objects, 10, vector(10))
    expect((await ask()).neighbors[0].id).toBe(seriesNo(10))
    await deleteSeries(objects, seriesNo(10))
    expect((await ask({ k: 10 })).neighbors.map(({ id }) => id)).not.toContain(seriesNo(10))
    await publish(objects, { cohort: "c", now: later(1) })
    expect(await ask()).toMatchObject({ fresh: 0 })
  })

  test("that another process added or deleted is seen at the next call", async () => {
    const folder = mkdtempSync(join(tmpdir(), "voxkin-test-"))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const objects = diskStore(folder)
    await storeCohort(objects, { cohort: "c", dim, vectors: vectors.slice(0, 10 * dim) })
    await publish(objects, { cohort: "c", now })
    const views = liveViews(objects)
    const request = { cohort: "c", query: { vector: [...vector(10)] }, k: 10 }
    const ids = async () => (await search(objects, await views("c"), request)).neighbors.map(({ id }) => id)
    const before = await ids()
    const child = resolve(import.meta.dirname, "change-cohort.ts")
    execFileSync(process.execPath, [
      "--import",
      "tsx",
      child,
      folder,
      seriesNo(10),
      JSON.stringify([...vector(10)]),
      before[0],
    ])
    const after = await ids()
    expect(after[0]).toBe(seriesNo(10))
    expect(after).not.toContain(before[0])
  })
})
