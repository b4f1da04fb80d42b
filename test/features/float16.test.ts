import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { expect, test } from "vitest"
import { allFinite, fromHalf, toHalf } from "#shared/features/float16.ts"

/** float32 bits and numpy's float16 bits of them: ties, subnormals, overflow, infinities, NaN. */
const golden: { float32: number[]; float16: number[] } = JSON.parse(
  readFileSync(resolve(import.meta.dirname, "numpy-float16.json"), "utf8"),
)

test("rounds as numpy does", () => {
  const values = new Float32Array(Uint32Array.from(golden.float32).buffer)
  const halves = toHalf(values)
  golden.float16.forEach((expected, i) => {
    expect(halves[i], `${values[i]} (bits ${golden.float32[i].toString(16)})`).toBe(expected)
  })
})

test("every half comes back from float32 as it was", () => {
  const isNumber = (bits: number) => (bits & 0x7fff) <= 0x7c00
  const halves = Uint16Array.from({ length: 65_536 }, (_, bits) => bits).filter(isNumber)
  expect(toHalf(fromHalf(halves))).toEqual(halves)
  expect([...fromHalf(Uint16Array.of(0x3c00, 0xc100, 0x0001, 0x7bff))]).toEqual([1, -2.5, 2 ** -24, 65_504])
})

test("converts a part of a larger array", () => {
  expect([...toHalf(Float32Array.of(9, 1, 2, 9).subarray(1, 3))]).toEqual([0x3c00, 0x4000])
})

test("65 504 is the largest that stays finite", () => {
  expect(allFinite(toHalf(Float32Array.of(65_519, -65_504, 0)))).toBe(true)
  for (const value of [65_520, Number.NaN, Number.NEGATIVE_INFINITY])
    expect(allFinite(toHalf(Float32Array.of(0, value)))).toBe(false)
})
