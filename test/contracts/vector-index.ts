import { beforeAll, describe, expect, test } from "vitest"
import { Fault } from "#shared/errors.ts"
import type { VectorIndex } from "#shared/retrieval/vector-index.ts"
import { bruteForce } from "../retrieval/brute-force.ts"
import { unitVectors } from "../retrieval/random.ts"

export interface VectorIndexFacts {
  /** Least share of the true ten nearest it finds over 100 queries of 20 000 × 64, at ef 64. */
  recallAt10: number
  /** Whether it takes `rows`. */
  rows: "honoured" | "refused"
}

type Build = (index: { dim: number; vectors: Float32Array }) => Promise<VectorIndex>

/** Scores may differ from the plain sum by the order of additions in double precision only. */
const digits = 12

/** What every VectorIndex promises. */
export function vectorIndexContract(name: string, build: Build, facts: VectorIndexFacts): void {
  describe(`${name} keeps the promises of a VectorIndex`, () => {
    const dim = 64
    const count = 20_000
    const made = unitVectors({ count: count + 100, dim })
    const vectors = made.slice(0, count * dim)
    const queries = made.subarray(count * dim)
    const query = (q: number) => queries.subarray(q * dim, (q + 1) * dim)
    let index: VectorIndex
    beforeAll(async () => {
      index = await build({ dim, vectors })
    })

    test("says its dim and size", () => {
      expect([index.dim, index.size]).toEqual([dim, count])
    })

    test(`finds at least ${facts.recallAt10} of the true ten, best first, with their true scores`, async () => {
      let found = 0
      for (let q = 0; q < 100; q++) {
        const answer = (await index.search(query(q), { k: 10, ef: 64 })).found
        const truth = bruteForce(vectors, query(q), { k: count })
        const scoreOf = new Map(truth.map(({ row, score }) => [row, score]))
        const best = new Set(truth.slice(0, 10).map(({ row }) => row))
        expect(answer).toHaveLength(10)
        for (const [i, { row, score }] of answer.entries()) {
          expect(score).toBeCloseTo(scoreOf.get(row)!, digits)
          if (i > 0) expect(score).toBeLessThanOrEqual(answer[i - 1].score)
          if (best.has(row)) found++
        }
      }
      expect(found / 1000).toBeGreaterThanOrEqual(facts.recallAt10)
    })

    test("a row finds itself first, at score 1", async () => {
      for (const row of [0, 777, count - 1]) {
        const { found } = await index.search(vectors.subarray(row * dim, (row + 1) * dim), { k: 3 })
        const [first] = found
        expect(first.row).toBe(row)
        expect(first.score).toBeCloseTo(1, 6)
      }
    })

    test("answers several at once as one by one", async () => {
      const alone = []
      for (let q = 0; q < 8; q++) alone.push(await index.search(query(q), { k: 5 + q, ef: 64 + q }))
      const together = await Promise.all(
        alone.map((_, q) => index.search(query(q), { k: 5 + q, ef: 64 + q })),
      )
      expect(together).toEqual(alone)
    })

    test("equal rows answer in the order of their numbers", async () => {
      const one = unitVectors({ count: 1, dim: 8 })
      const same = new Float32Array(8 * 40)
      for (let row = 0; row < 40; row++) same.set(one, row * 8)
      const { found } = await (await build({ dim: 8, vectors: same })).search(one, { k: 40 })
      expect(found.map(({ row }) => row)).toEqual(Array.from({ length: 40 }, (_, row) => row))
    })

    test("k beyond the size gives every row; k below 1 none", async () => {
      const small = unitVectors({ count: 30, dim: 8 })
      const built = await build({ dim: 8, vectors: small })
      const { found } = await built.search(small.subarray(0, 8), { k: 1000 })
      expect(found).toHaveLength(30)
      expect(new Set(found.map(({ row }) => row)).size).toBe(30)
      expect(await built.search(small.subarray(0, 8), { k: 0 })).toEqual({ found: [], rescored: 0 })
    })

    test("an index of one row answers with it", async () => {
      const one = unitVectors({ count: 1, dim: 3 })
      const { found } = await (await build({ dim: 3, vectors: one })).search(one, { k: 1 })
      expect(found).toHaveLength(1)
    })

    test.each([
      ["too short", new Float32Array(63), "wrong-dim"],
      ["too long", new Float32Array(65), "wrong-dim"],
      ["with NaN", new Float32Array(64).fill(Number.NaN, 10, 11), "bad-vector"],
      ["with infinity", new Float32Array(64).fill(Number.POSITIVE_INFINITY, 63), "bad-vector"],
    ])("refuses a query %s", async (_, bad, code) => {
      await expect(index.search(bad, { k: 1 })).rejects.toThrow(Fault)
      await expect(index.search(bad, { k: 1 })).rejects.toMatchObject({ kind: "invalid", code })
    })

    test.runIf(facts.rows === "honoured")("answers only with the rows given", async () => {
      const rows = Uint32Array.from([3, 4, 500, 7000, 19_999])
      expect((await index.search(query(0), { k: 3, rows })).found).toEqual(
        bruteForce(vectors, query(0), { k: 3, rows }).map(({ row, score }) => ({
          row,
          score: expect.closeTo(score, digits),
        })),
      )
      expect((await index.search(query(0), { k: 3, rows: new Uint32Array() })).found).toEqual([])
    })

    test.runIf(facts.rows === "refused")("refuses a subset of rows rather than ignore it", async () => {
      await expect(index.search(query(0), { k: 3, rows: Uint32Array.from([1]) })).rejects.toMatchObject({
        code: "no-row-filter",
      })
    })
  })
}
