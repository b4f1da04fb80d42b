import { describe, expect, test } from "vitest"
import { coded, nearestCoded, nearestOfEach } from "#shared/probe/math/coded.ts"
import { nearest } from "#shared/probe/math/nearest.ts"
import { prng, randomInt } from "#shared/probe/math/prng.ts"
import { noise } from "./survival-cases.ts"

describe("the nearest points", () => {
  test("are those of a search through every row, one by one, by codes or many at a time, ties to the first row", async () => {
    const random = prng(2)
    for (let trial = 0; trial < 30; trial++) {
      const [rows, columns, asked] = [
        1 + randomInt(random, 70),
        1 + randomInt(random, 9),
        randomInt(random, 70),
      ]
      // Few different numbers, so that many points coincide and many more are equally far.
      const some = (n: number, size: number) =>
        Float32Array.from({ length: n * columns }, () => size * randomInt(random, 3))
      const size = 10 ** (randomInt(random, 9) - 4)
      const points = { values: some(rows, size), rows, columns }
      const queries = { values: some(asked, size), rows: asked, columns }
      const count = 1 + randomInt(random, 12)
      const together = nearestOfEach(points, queries, count)
      const codes = (await coded(points))!
      expect(together).toHaveLength(asked)
      for (const [q, found] of together.entries()) {
        const query = queries.values.subarray(q * columns, (q + 1) * columns)
        const distance = (row: number) =>
          Math.hypot(...query.map((v, c) => (v - points.values[row * columns + c]) / size)) * size
        const order = [...Array(rows).keys()].sort((a, b) => {
          const [da, db] = [distance(a), distance(b)]
          return Math.abs(da - db) > 1e-9 * size ? da - db : a - b
        })
        expect([...found.rows]).toEqual(order.slice(0, count))
        for (const [i, d] of found.distances.entries())
          expect(Math.abs(d - distance(found.rows[i]))).toBeLessThanOrEqual(1e-6 * size)
        expect(nearest(points, query, count)).toEqual(found)
        expect(nearestCoded(codes, query, count)).toEqual(found)
      }
    }
  })

  test("of which some differ in the last bit only are told apart, in blocks too", () => {
    const columns = 40
    const base = noise(columns, 3).map((v) => 100 + v)
    const values = new Float32Array(50 * columns)
    for (let row = 0; row < 50; row++) {
      values.set(base, row * columns)
      // Each row is one rounding step farther than the next.
      for (let step = row; step < 50; step++) values[row * columns] += 2 ** -17
    }
    const queries = { values: base, rows: 1, columns }
    const [found] = nearestOfEach({ values, rows: 50, columns }, queries, 5)
    expect([...found.rows]).toEqual([49, 48, 47, 46, 45])
    expect(found.distances[0]).toBeCloseTo(2 ** -17, 12)
  })

  test.each([
    ["of few directions", 6, 0.3],
    ["of every direction alike", 200, 0],
    ["that all but coincide", 3, 1e-6],
  ])("by codes are the very same, of 3000 points %s", async (_, rank, own) => {
    const [rows, columns] = [3000, 200]
    const [shares, directions, rest] = [
      noise(rows * rank, 5),
      noise(rank * columns, 6),
      noise(rows * columns, 7),
    ]
    const values = Float32Array.from(rest, (v, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns]
      let sum = own * v
      for (let k = 0; k < rank; k++) sum += shares[row * rank + k] * directions[k * columns + column]
      return sum
    })
    // One row far out, whose codes are coarse, and one that stands twice.
    for (let c = 0; c < columns; c += 3) values[c] *= 1e4
    values.copyWithin(columns, 2 * columns, 3 * columns)
    const points = { values, rows, columns }
    const codes = (await coded(points))!
    for (let q = 0; q < 40; q++) {
      const query = values.slice(q * columns, (q + 1) * columns).map((v, c) => v + own * rest[c])
      for (const count of [1, 20])
        expect(nearestCoded(codes, query, count)).toEqual(nearest(points, query, count))
    }
  })

  test("by codes are told of the farthest queries, and not made of points too far out", async () => {
    const points = { values: Float32Array.of(0, 0, 1, 2, -3, 4), rows: 3, columns: 2 }
    const codes = (await coded(points))!
    for (const far of [1e8, 1e20, 3e38]) {
      const query = Float32Array.of(far, -far)
      expect(nearestCoded(codes, query, 2)).toEqual(nearest(points, query, 2))
    }
    expect(await coded({ ...points, values: points.values.map((v) => v * 1e30) })).toBeUndefined()
  })
})
