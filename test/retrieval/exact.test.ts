import { describe, expect, test } from "vitest"
import { makeCodes } from "#shared/exact/codes.ts"
import { openFloats } from "#shared/exact/floats.ts"
import { exactIndex, exactOver, type Score, scanOf, scoreIn } from "#shared/retrieval/exact.ts"
import { vectorIndexContract } from "../contracts/vector-index.ts"
import { bruteForce } from "./brute-force.ts"
import { random, unitVectors } from "./random.ts"

vectorIndexContract("exact on codes", (built) => exactIndex(built), { recallAt10: 1, rows: "honoured" })
vectorIndexContract("exact on floats", (built) => exactIndex(built, "floats"), {
  recallAt10: 1,
  rows: "honoured",
})

type Next = () => number
type Made = (count: number, dim: number, next: Next) => Float32Array
const filled = (length: number, value: (i: number) => number) =>
  Float32Array.from({ length }, (_, i) => value(i))

/** Rows that are hard for codes, each in its own way. */
const kinds: Record<string, Made> = {
  random: (count, dim, next) => filled(count * dim, () => next() - 0.5),
  "of few distinct values, so that many scores are equal": (count, dim, next) =>
    filled(count * dim, () => Math.floor(3 * next()) - 1),
  "all equal": (count, dim, next) => {
    const one = filled(dim, () => next() - 0.5)
    return filled(count * dim, (i) => one[i % dim])
  },
  "all zero": (count, dim) => new Float32Array(count * dim),
  "in tight clusters": (count, dim, next) => {
    const centres = filled(4 * dim, () => next() - 0.5)
    return filled(count * dim, (i) => centres[(Math.floor(i / dim) % 4) * dim + (i % dim)] + 1e-4 * next())
  },
  "apart by single float steps": (count, dim, next) => {
    const one = filled(dim, () => next() - 0.5)
    return filled(count * dim, (i) => one[i % dim] * (1 + (next() < 0.02 ? 2 ** -23 : 0)))
  },
  "with one number that dwarfs the rest": (count, dim, next) =>
    filled(count * dim, (i) => (i % dim === 0 ? 1000 * next() : next() - 0.5)),
  "better and better, so that every row is a candidate": (count, dim, next) =>
    filled(count * dim, (i) => (i / (count * dim)) * (1 + 1e-3 * next())),
  "of lengths from 1e-18 to 1e6": (count, dim, next) => {
    const lengths = filled(count, () => 10 ** (24 * next() - 18))
    return filled(count * dim, (i) => (next() - 0.5) * lengths[Math.floor(i / dim)])
  },
  "that codes hold exactly": (count, dim, next) => {
    const half = filled(Math.ceil(count / 2) * dim, (i) =>
      i % dim === 0 ? 127 : Math.floor(255 * next()) - 127,
    )
    // Each row and its opposite: their mean is zero.
    return filled(
      count * dim,
      (i) => (i % (2 * dim) < dim ? 1 : -1) * half[Math.floor(i / (2 * dim)) * dim + (i % dim)],
    )
  },
  "all but zero": (count, dim, next) => filled(count * dim, () => 1e-43 * next()),
  duplicated: (count, dim, next) => {
    const few = filled(5 * dim, () => next() - 0.5)
    return filled(count * dim, (i) => few[(Math.floor(i / dim) % 5) * dim + (i % dim)])
  },
}

const open = {
  codes: makeCodes,
  floats: async (source: Parameters<typeof openFloats>[0]) => openFloats(source),
}

/** Adds in the order of the plain definition, so that even the last bit of a score agrees. */
function plainScores(vectors: Float32Array): Score {
  return (query, rows) =>
    Float64Array.from(rows, (row) => bruteForce(vectors, query, { k: 1, rows: [row] })[0].score)
}

describe.each(["codes", "floats"] as const)(
  "exact on %s answers as brute force does, order and ties too:",
  (kind) => {
    test.each(Object.keys(kinds))("rows %s", async (name) => {
      const next = random(name.length)
      const below = (n: number) => Math.floor(next() * n)
      for (const dim of [1, 2, 15, 16, 17, 144, 864, 1 + below(300)]) {
        const count = 1 + below(dim > 300 ? 150 : 1500)
        const vectors = kinds[name](count, dim, next)
        const index = exactOver(scanOf(await open[kind]({ dim, vectors })), plainScores(vectors))
        for (let round = 0; round < 6; round++) {
          const own = below(count) * dim
          const query = below(2) === 0 ? vectors.slice(own, own + dim) : filled(dim, () => next() - 0.5)
          const share = next()
          const all = Uint32Array.from({ length: count }, (_, row) => row)
          const rows = below(2) === 0 ? undefined : all.filter(() => next() < share)
          const k = [1, 10, count, count + 5, 1 + below(count)][below(5)]
          const { found, rescored } = await index.search(query, { k, rows })
          expect(found).toEqual(bruteForce(vectors, query, { k, rows }))
          expect(rescored).toBeGreaterThanOrEqual(found.length)
          expect(rescored).toBeLessThanOrEqual(rows?.length ?? count)
        }
      }
    })

    test.each(Object.keys(kinds))("no score of rows %s is further off than its bound", async (name) => {
      const next = random(11)
      const count = 400
      for (const dim of [1, 16, 100, 864]) {
        const vectors = kinds[name](count, dim, next)
        const most = Math.min(32_767, Math.floor((2 ** 31 - 1) / (127 * dim)))
        const queries = [
          filled(dim, () => next() - 0.5),
          vectors.slice(0, dim),
          // Exact in int16: nothing is left but the rounding of sums.
          filled(dim, (i) => (i === 0 ? most : Math.floor(most * (2 * next() - 1)))),
        ]
        const { kernel, terms, residual } = await open[kind]({ dim, vectors })
        for (const query of queries) {
          const { bytes, base, unit, spread, slack } = terms(query)
          kernel.query.set(bytes)
          expect(kernel.scan({ first: 0, count }, Number.NEGATIVE_INFINITY, spread)).toBe(count)
          const truth = scoreIn(vectors)(
            query,
            Uint32Array.from({ length: count }, (_, row) => row),
          ) as Float64Array
          for (let i = 0; i < count; i++) {
            const row = kernel.found.rows[2 * i]
            const error = Math.abs(base + unit * kernel.found.scores[2 * i + 1] - truth[row])
            const bound = unit * spread * residual(row) + slack
            if (error > bound) expect.fail(`row ${row} of ${dim}: off by ${error}, bound ${bound}`)
          }
        }
      }
    })

    test("rows that are left out do not answer, the best of all among them, in runs or scattered", async () => {
      const [dim, count] = [24, 5000]
      const vectors = unitVectors({ count, dim })
      const index = exactOver(scanOf(await open[kind]({ dim, vectors })), plainScores(vectors))
      const query = vectors.slice(0, dim)
      const byScore = bruteForce(vectors, query, { k: count }).map(({ row }) => row)
      for (const barred of [1, 100, 2000, 4000]) {
        for (const most of [count, 700]) {
          const out = new Set(byScore.slice(0, barred))
          const rows = Uint32Array.from({ length: count }, (_, row) => row)
            .filter((row) => !out.has(row))
            .slice(-most)
          const { found } = await index.search(query, { k: 12, rows })
          expect(found).toEqual(bruteForce(vectors, query, { k: 12, rows }))
        }
      }
    })

    test("queries of any length, from the smallest float to the largest", async () => {
      const dim = 20
      const vectors = unitVectors({ count: 500, dim })
      const index = exactOver(scanOf(await open[kind]({ dim, vectors })), plainScores(vectors))
      for (const length of [0, 2 ** -149, 1e-44, 1e-30, 1e-3, 1e3, 1e30, 1e38]) {
        const query = vectors.slice(0, dim).map((x) => x * length)
        const { found } = await index.search(query, { k: 7 })
        expect(found).toEqual(bruteForce(vectors, query, { k: 7 }))
      }
    })

    test.each([
      ["NaN", Number.NaN],
      ["infinity", Number.NEGATIVE_INFINITY],
      ["a number far beyond a unit vector's", 1e30],
    ])("a row with %s is refused by number", async (_, bad) => {
      const vectors = unitVectors({ count: 5, dim: 4 }).with(9, bad)
      await expect(exactIndex({ dim: 4, vectors }, kind)).rejects.toThrow("row 2 is no unit vector")
    })

    test("a row beyond the index is an error, not a NaN", async () => {
      const index = await exactIndex({ dim: 2, vectors: unitVectors({ count: 3, dim: 2 }) }, kind)
      const rows = Uint32Array.of(3)
      await expect(index.search(new Float32Array(2), { k: 1, rows })).rejects.toThrow(
        /\b3 of (an index of )?3/,
      )
    })
  },
)

test("few rows are rescored: most are told apart by their codes", async () => {
  const dim = 864
  const vectors = unitVectors({ count: 5020, dim })
  const index = await exactIndex({ dim, vectors: vectors.subarray(0, 5000 * dim) })
  let rescored = 0
  for (let q = 5000; q < 5020; q++) {
    rescored += (await index.search(vectors.subarray(q * dim, (q + 1) * dim), { k: 10 })).rescored
  }
  expect(rescored / 20).toBeLessThan(50)
})

test("scores may come from elsewhere, later", async () => {
  const dim = 30
  const vectors = unitVectors({ count: 300, dim })
  const near = scoreIn(vectors)
  const index = exactOver(scanOf(await makeCodes({ dim, vectors })), async (query, rows) => near(query, rows))
  const query = vectors.slice(dim, 2 * dim)
  expect(await index.search(query, { k: 9 })).toEqual(
    await (await exactIndex({ dim, vectors })).search(query, { k: 9 }),
  )
})

test("long searches give way to each other and to the rest, and do not mix", async () => {
  const dim = 864
  const count = 20_000
  const next = random(5)
  const vectors = filled(count * dim, () => next() - 0.5)
  const index = await exactIndex({ dim, vectors }, "floats")
  const queries = [0, 1, 2, 3, 4, 5].map((row) => vectors.slice(row * dim, (row + 1) * dim))
  let turns = 0
  let searching = true
  const turn = () => {
    turns++
    if (searching) setImmediate(turn)
  }
  setImmediate(turn)
  const answers = await Promise.all(queries.map((query) => index.search(query, { k: count })))
  searching = false
  expect(answers.map(({ found }) => found[0].row)).toEqual([0, 1, 2, 3, 4, 5])
  // A scan of 69 MB and 17 million products in double precision each: no machine does it in the 4 ms of one stretch.
  expect(turns).toBeGreaterThan(0)
})
