import { beforeAll, describe, expect, test } from "vitest"
import type { Scalars } from "#shared/cohort/members.ts"
import { hnswAvailable } from "#shared/retrieval/hnsw.ts"
import type { Snapshot } from "#shared/retrieval/opened.ts"
import { SearchAnswer, SearchRequest, search, searchMany } from "#shared/retrieval/search.ts"
import { encoder, scratchStore, seriesNo } from "../cohort/scratch.ts"
import { bruteForce } from "./brute-force.ts"
import { keepMade, snapshotOf, viewOf } from "./made.ts"
import { random, unitVectors } from "./random.ts"

const none: ReadonlySet<string> = new Set()
const hnsw = await hnswAvailable()

test("any cohort, filter, deletions and k give the same ids as brute force", async () => {
  const objects = scratchStore()
  const next = random(5)
  const below = (n: number) => Math.floor(next() * n)
  for (let round = 0; round < 150; round++) {
    const dim = 2 + below(6)
    const count = 1 + below(40)
    // Few directions: many equal scores.
    const vectors = new Float32Array(count * dim)
    for (let row = 0; row < count; row++) vectors[row * dim + below(dim)] = below(2) === 0 ? 1 : -1
    const metadata = Array.from({ length: count }, (): Scalars => ({ age: below(3) === 0 ? null : below(5) }))
    const snapshot = await snapshotOf({ cohort: "c", dim, vectors, metadata }, "exact")
    const all = Array.from({ length: count }, (_, row) => row)
    const deleted = new Set(all.filter(() => below(5) === 0))
    const own = below(2) === 0 && !deleted.has(0) ? 0 : undefined
    const least = below(5)
    const filtered = below(2) === 0 && metadata.some(({ age }) => age !== null)
    const passes = (row: number) => {
      const { age } = metadata[row]
      return !filtered || (typeof age === "number" && age >= least)
    }
    const given = Float32Array.from({ length: dim }, (_, i) => i + 1)
    const k = 1 + below(count)

    const answer = await search(objects, viewOf(snapshot, new Set([...deleted].map(seriesNo))), {
      cohort: "c",
      query: own === 0 ? { series: seriesNo(0) } : { vector: [...given] },
      k,
      filter: filtered ? `age>=${least}` : undefined,
      exact: below(2) === 0,
    })
    const rows = all.filter((row) => passes(row) && !deleted.has(row) && row !== own)
    const query = own === 0 ? vectors.slice(0, dim) : given.map((x) => x / Math.hypot(...given))
    const truth = bruteForce(vectors, query, { k, rows })
    expect(answer.neighbors.map(({ id }) => id)).toEqual(truth.map(({ row }) => seriesNo(row)))
    expect(answer).toMatchObject({
      plan: all.every(passes) ? "exact" : "exact-filtered",
      exact: true,
      scanned: rows.length,
      shortBy: k - truth.length,
    })
    expect(SearchAnswer.parse(answer)).toEqual(answer)
  }
})

describe("queries", () => {
  const dim = 8
  const vectors = unitVectors({ count: 30, dim })
  let snapshot: Snapshot
  beforeAll(async () => {
    snapshot = await snapshotOf({ cohort: "c", dim, vectors }, "exact")
  })
  const ask = (query: SearchRequest["query"], more: Partial<SearchRequest> = {}, deleted = none) =>
    search(scratchStore(), viewOf(snapshot, deleted), { cohort: "c", query, k: 3, ...more })

  test("a series never finds itself, nor does a vector made from it", async () => {
    const bySeries = await ask({ series: seriesNo(3) }, { k: 30 })
    expect(bySeries.neighbors.map(({ id }) => id)).not.toContain(seriesNo(3))
    expect(bySeries).toMatchObject({ shortBy: 1, scanned: 29 })
    const vector = [...vectors.subarray(3 * dim, 4 * dim)]
    const ids = async (query: SearchRequest["query"]) => (await ask(query)).neighbors.map(({ id }) => id)
    expect(await ids({ vector, except: seriesNo(3) })).toEqual(await ids({ series: seriesNo(3) }))
    expect((await ids({ vector }))[0]).toBe(seriesNo(3))
  })

  test("the length of a query vector does not matter", async () => {
    const vector = [...vectors.subarray(0, dim)]
    const [a, b] = [await ask({ vector }), await ask({ vector: vector.map((x) => x * 1e6) })]
    expect(b.neighbors.map(({ id }) => id)).toEqual(a.neighbors.map(({ id }) => id))
    expect(b.neighbors[0].score).toBeCloseTo(1, 6)
  })

  test("a series that is not published yet is asked for by its features", async () => {
    const objects = scratchStore()
    const fresh = seriesNo(77)
    const request = { cohort: "c", query: { series: fresh }, k: 1 }
    const missing = { kind: "missing", code: "no-such-series", message: expect.stringContaining(encoder) }
    await expect(search(objects, viewOf(snapshot), request)).rejects.toMatchObject(missing)
    await keepMade(objects, fresh, vectors.slice(5 * dim, 6 * dim))
    expect((await search(objects, viewOf(snapshot), request)).neighbors[0].id).toBe(seriesNo(5))
  })

  test("a deleted series neither answers nor asks", async () => {
    const gone = new Set([seriesNo(3)])
    const answer = await ask({ vector: [...vectors.subarray(3 * dim, 4 * dim)] }, { k: 30 }, gone)
    expect(answer.neighbors.map(({ id }) => id)).not.toContain(seriesNo(3))
    expect(answer.shortBy).toBe(1)
    await expect(ask({ series: seriesNo(3) }, {}, gone)).rejects.toMatchObject({ code: "no-such-series" })
  })

  test.each([
    ["k 0", { k: 0 }, "bad-k", "from 1 to 30"],
    ["k beyond the count", { k: 31 }, "bad-k", "from 1 to 30"],
    ["k 1.5", { k: 1.5 }, "bad-k", "whole number"],
    ["k NaN", { k: Number.NaN }, "bad-k", "whole number"],
    ["another cohort", { cohort: "d" }, "wrong-cohort", "d"],
    ["a short vector", { query: { vector: [1, 2] } }, "wrong-dim", "2 numbers, the index 8"],
    ["a zero vector", { query: { vector: Array(8).fill(0) } }, "bad-vector", "zero"],
    ["NaN in a vector", { query: { vector: [Number.NaN, 1, 1, 1, 1, 1, 1, 1] } }, "bad-vector", "NaN"],
    [
      "a number beyond float32",
      { query: { vector: [1e300, 1, 1, 1, 1, 1, 1, 1] } },
      "bad-vector",
      "infinity",
    ],
    ["an unknown column", { filter: "age>5" }, "unknown-column", "age"],
    ["an unreadable filter", { filter: "age>" }, "bad-filter", "at 5"],
  ])("%s is refused", async (_, more, code, message) => {
    await expect(ask({ series: seriesNo(0) }, more)).rejects.toMatchObject({
      kind: "invalid",
      code,
      message: expect.stringContaining(message),
    })
  })

  test("a batch answers as its searches one by one", async () => {
    const requests = [0, 1, 2].map((n) => ({ cohort: "c", query: { series: seriesNo(n) }, k: 4 }))
    const answers = await searchMany(scratchStore(), viewOf(snapshot), requests)
    for (const [i, { neighbors }] of answers.entries()) {
      expect(neighbors).toEqual((await ask(requests[i].query, { k: 4 })).neighbors)
    }
  })
})

test.each([
  ["the usual", { cohort: "c", query: { series: seriesNo(1) }, k: 3, filter: "a=1", exact: true }, true],
  ["a vector", { cohort: "c", query: { vector: [1, 2], except: seriesNo(1) }, k: 3 }, true],
  ["both kinds of query", { cohort: "c", query: { vector: [1], series: seriesNo(1) }, k: 3 }, false],
  ["no query", { cohort: "c", query: {}, k: 3 }, false],
  ["a path for a cohort", { cohort: "../c", query: { series: seriesNo(1) }, k: 3 }, false],
  ["a misspelt field", { cohort: "c", query: { series: seriesNo(1) }, k: 3, filtre: "a=1" }, false],
  ["an endless vector", { cohort: "c", query: { vector: Array(20_000).fill(1) }, k: 3 }, false],
])("a request with %s", (_, request, good) => {
  expect(SearchRequest.safeParse(request).success).toBe(good)
})

// Without a compiler there is no graph, and every plan is exact.
describe.skipIf(!hnsw.available)("a large cohort", () => {
  const dim = 16
  const count = 12_000
  const vectors = unitVectors({ count, dim })
  let snapshot: Snapshot
  beforeAll(async () => {
    const made = await snapshotOf({ cohort: "c", dim, vectors }, "hnsw")
    // An index that says it is so large that the graph is asked: really to be would take minutes to build.
    snapshot = { ...made, exact: { ...made.exact, size: 10_000_000 } }
  })

  test("is answered by the graph, says so, and gives exact scores", async () => {
    let found = 0
    for (let n = 0; n < 50; n++) {
      const request = { cohort: "c", query: { series: seriesNo(n * 200) }, k: 10 }
      const fast = await search(scratchStore(), viewOf(snapshot), request)
      const exact = await search(scratchStore(), viewOf(snapshot), { ...request, exact: true })
      expect(fast).toMatchObject({ plan: "hnsw", exact: false, ef: 64, scanned: 64, shortBy: 0 })
      expect(exact).toMatchObject({ plan: "exact", exact: true, scanned: count - 1, shortBy: 0 })
      expect(exact.ef).toBeNull()
      const truth = new Map(exact.neighbors.map(({ id, score }) => [id, score]))
      for (const { id, score } of fast.neighbors) {
        expect(id).not.toBe(request.query.series)
        if (!truth.has(id)) continue
        expect(score).toBe(truth.get(id))
        found++
      }
    }
    expect(found / 500).toBeGreaterThan(0.97)
  })

  test("still gives k where the nearest are deleted", async () => {
    const request = { cohort: "c", query: { series: seriesNo(0) }, k: 10 }
    const first = await search(scratchStore(), viewOf(snapshot), { ...request, k: 30 })
    const gone = new Set(first.neighbors.slice(0, 20).map(({ id }) => id))
    const answer = await search(scratchStore(), viewOf(snapshot, gone), request)
    expect(answer).toMatchObject({ plan: "hnsw", shortBy: 0 })
    expect(answer.neighbors).toHaveLength(10)
    expect(answer.neighbors.filter(({ id }) => gone.has(id))).toEqual([])
  })
})
