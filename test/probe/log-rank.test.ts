import { expect, test } from "vitest"
import { logRank, tertiles } from "#shared/probe/measure/log-rank.ts"
import golden from "./independent.json" with { type: "json" }

test(`the log-rank test of three groups is that of ${golden.calls.logRank}, to 1e-9`, () => {
  const { time, event, third } = golden.data
  const outcomes = { time: Float64Array.from(time), event: Uint8Array.from(event) }
  const found = logRank(outcomes, Uint8Array.from(third))!
  expect(found.statistic).toBeCloseTo(golden.logRank[0], 9)
  expect(found.p).toBeCloseTo(golden.logRank[1], 9)
  // The names of the groups do not matter.
  const other = logRank(
    outcomes,
    Uint8Array.from(third, (k) => (k + 1) % 3),
  )!
  expect(other.statistic).toBeCloseTo(found.statistic, 9)
})

test("there is none where nothing can differ", () => {
  const time = Float64Array.of(1, 2, 3, 4)
  expect(logRank({ time, event: Uint8Array.of(0, 0, 0, 0) }, Uint8Array.of(0, 1, 2, 0))).toBeNull()
  expect(logRank({ time, event: Uint8Array.of(1, 1, 1, 1) }, Uint8Array.of(0, 1, 0, 1))).toBeNull()
})

test("thirds are by rank, and equal risks stay together", () => {
  expect([...tertiles(Float64Array.of(5, 1, 4, 2, 6, 3))]).toEqual([2, 0, 1, 0, 2, 1])
  expect([...tertiles(Float64Array.of(-1, -1, -1, -1, 2, 3))]).toEqual([0, 0, 0, 0, 2, 2])
  expect([...tertiles(new Float64Array(4))]).toEqual([0, 0, 0, 0])
})
