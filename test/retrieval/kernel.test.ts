import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { describe, expect, test } from "vitest"
import { mostRows, openKernel } from "#shared/kernel/scan.ts"
import { random } from "./random.ts"

const folder = resolve(import.meta.dirname, "../../shared/kernel")

function hasAssembler(): boolean {
  try {
    createRequire(import.meta.url).resolve("wabt")
    return true
  } catch {
    return false
  }
}

// The assembler is a development dependency: an installation without these has the built files alone.
test.skipIf(!hasAssembler())("each .wasm is what its .wat assembles to", () => {
  const scratch = mkdtempSync(join(tmpdir(), "voxkin-kernel-"))
  try {
    execFileSync(process.execPath, [join(folder, "build.mjs"), scratch])
    const built = readdirSync(scratch)
    expect(built.sort()).toEqual(["marks.wasm", "products.wasm", "scan.wasm"])
    for (const name of built) {
      expect(Buffer.compare(readFileSync(join(scratch, name)), readFileSync(join(folder, name)))).toBe(0)
    }
  } finally {
    rmSync(scratch, { recursive: true })
  }
})

/** What a scan left: [row, score] by row. */
const found = (kernel: ReturnType<typeof openKernel>, n: number) =>
  Array.from({ length: n }, (_, i) => [kernel.found.rows[2 * i], kernel.found.scores[2 * i + 1]]).sort(byRow)
const byRow = (a: number[], b: number[]) => a[0] - b[0]
const all = Number.NEGATIVE_INFINITY

describe("the scan of codes", () => {
  const stride = 48
  const count = 1100
  const next = random(2)
  const kernel = openKernel({ stride, count, queryBytes: 2 * stride, scan: "codes" })
  const codes = new Int8Array(kernel.rows.buffer, kernel.rows.byteOffset, kernel.rows.length)
  const numbers = new Float32Array(kernel.rows.buffer, kernel.rows.byteOffset, kernel.rows.length / 4)
  const query = new Int16Array(kernel.query.buffer, 0, stride)
  for (let i = 0; i < stride - 8; i++) query[i] = Math.floor(65_535 * next()) - 32_767
  const dots: number[] = []
  for (let row = 0; row < count; row++) {
    let sum = 0
    for (let i = 0; i < stride - 8; i++) {
      codes[row * stride + i] = Math.floor(255 * next()) - 127
      sum += codes[row * stride + i] * query[i]
    }
    numbers[((row + 1) * stride) / 4 - 2] = 0.25 // scale: a power of two, so that only the sum is rounded to f32
    numbers[((row + 1) * stride) / 4 - 1] = row % 7 // residual
    dots.push(Math.fround(sum) / 4)
  }

  test.each([1, 2, 3, 4, 5, 1023, 1024])("gives %i rows with their scores, whole sums of integers", (n) => {
    expect(found(kernel, kernel.scan({ first: 20, count: n }, all, 0))).toEqual(
      dots.slice(20, 20 + n).map((score, i) => [20 + i, score]),
    )
  })

  test.each([0, 1, 2, 3, 4, 7])("gives the %i rows of a list", (n) => {
    const list = Uint32Array.from([1099, 3, 3, 500, 0, 77, 78].slice(0, n))
    expect(found(kernel, kernel.scan({ list }, all, 0))).toEqual(
      [...list].sort((a, b) => a - b).map((row) => [row, dots[row]]),
    )
  })

  test("keeps the rows whose score and share of the residual reach the floor, those that equal it too", () => {
    const floor = dots[50] + 3 * (50 % 7)
    const kept = dots.flatMap((score, row) => (row < 1024 && score + 3 * (row % 7) >= floor ? [row] : []))
    expect(found(kernel, kernel.scan({ first: 0, count: 1024 }, floor, 3)).map(([row]) => row)).toEqual(kept)
    expect(kept).toContain(50)
    expect(kept.length).toBeLessThan(1024)
    expect(kernel.scan({ first: 0, count: 1024 }, Number.POSITIVE_INFINITY, 3)).toBe(0)
  })

  test("a sum just below 2³¹ does not overflow", () => {
    const one = openKernel({ stride: 880, count: 1, queryBytes: 1760, scan: "codes" })
    const most = Math.floor((2 ** 31 - 1) / (127 * 864))
    new Int16Array(one.query.buffer, 0, 864).fill(-most)
    one.rows.fill(127, 0, 864)
    new Float32Array(one.rows.buffer, one.rows.byteOffset)[218] = 1 // 4-byte words 218 and 219 end the row
    expect(found(one, one.scan({ first: 0, count: 1 }, all, 0))).toEqual([
      [0, Math.fround(-most * 127 * 864)],
    ])
  })
})

test("the scan of floats gives dot products", () => {
  const dim = 21
  const stride = 96
  const count = 9
  const next = random(3)
  const kernel = openKernel({ stride, count, queryBytes: stride, scan: "floats" })
  const rows = new Float32Array(kernel.rows.buffer, kernel.rows.byteOffset, kernel.rows.length / 4)
  const query = new Float32Array(kernel.query.buffer, 0, stride / 4)
  // Small whole numbers: no sum of them is rounded.
  for (let i = 0; i < dim; i++) query[i] = Math.floor(20 * next()) - 10
  const dots = Array.from({ length: count }, (_, row) => {
    let sum = 0
    for (let i = 0; i < dim; i++) {
      rows[(row * stride) / 4 + i] = Math.floor(20 * next()) - 10
      sum += rows[(row * stride) / 4 + i] * query[i]
    }
    return sum
  })
  expect(found(kernel, kernel.scan({ first: 0, count }, all, 0))).toEqual(
    dots.map((score, row) => [row, score]),
  )
  const list = Uint32Array.of(8, 1, 4, 4, 0)
  expect(found(kernel, kernel.scan({ list }, all, 0))).toEqual(
    [...list].sort((a, b) => a - b).map((row) => [row, dots[row]]),
  )
  const floor = dots[2]
  expect(found(kernel, kernel.scan({ first: 0, count }, floor, 0)).map(([row]) => row)).toEqual(
    dots.flatMap((score, row) => (score >= floor ? [row] : [])),
  )
})

test("rows that are not there are an error", () => {
  const kernel = openKernel({ stride: 16, count: 4, queryBytes: 32, scan: "codes" })
  expect(() => kernel.scan({ first: 2, count: 3 }, all, 0)).toThrow(RangeError)
  expect(() => kernel.scan({ list: Uint32Array.of(0, 4) }, all, 0)).toThrow("row 4 of an index of 4")
  expect(() => kernel.scan({ list: new Uint32Array(mostRows + 1) }, all, 0)).toThrow(RangeError)
})

test("more than 4 GiB of rows is a fault, before anything is allocated", () => {
  const shape = { stride: 880, count: 5_000_000, queryBytes: 1760, scan: "codes" as const }
  expect(() => openKernel(shape)).toThrow(expect.objectContaining({ code: "index-too-large" }))
})

describe("the checksum", () => {
  const kernel = openKernel({ stride: 48, count: 1000, queryBytes: 96, scan: "codes" })
  const next = random(8)
  kernel.rows.forEach((_, i) => {
    kernel.rows[i] = Math.floor(256 * next())
  })

  /** The definition, word by word. */
  function defined(bytes: Uint8Array): Uint8Array {
    const words = new Uint32Array(Math.ceil(bytes.length / 64) * 16)
    new Uint8Array(words.buffer).set(bytes)
    const primes = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f]
    const state = new Uint32Array(16)
    for (const [i, word] of words.entries()) {
      const x = state[i % 16] ^ word
      state[i % 16] = Math.imul((x << 15) | (x >>> 17), primes[i % 4])
    }
    return new Uint8Array(state.buffer)
  }

  const checksum = (pieces = [kernel.rows.length]) => {
    const sum = new Uint8Array(64)
    let from = 0
    for (const to of pieces) {
      kernel.checksum(sum, from, to)
      from = to
    }
    return sum
  }

  test("is what it is defined to be, in one piece or in several", () => {
    expect(checksum([64, 640, kernel.rows.length])).toEqual(checksum())
    expect(checksum()).toEqual(defined(kernel.rows))
  })

  test("is altered by any flipped bit, and by words that change places", () => {
    const before = checksum()
    for (let i = 0; i < 200; i++) {
      const byte = Math.floor(next() * kernel.rows.length)
      kernel.rows[byte] ^= 1 << (i % 8)
      expect(checksum()).not.toEqual(before)
      kernel.rows[byte] ^= 1 << (i % 8)
    }
    const words = new Uint32Array(kernel.rows.buffer, kernel.rows.byteOffset, 100)
    for (const other of [1, 16, 64]) {
      ;[words[0], words[other]] = [words[other], words[0]]
      expect(checksum()).not.toEqual(before)
      ;[words[0], words[other]] = [words[other], words[0]]
    }
    expect(checksum()).toEqual(before)
  })
})
