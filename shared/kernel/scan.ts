import { Fault } from "#shared/errors.ts"
import { mostPages, openModule } from "./open.ts"

/** `scan.wat` says what the scans do. */
interface Exports {
  scanCodes(
    query: number,
    rows: number,
    stride: number,
    list: number,
    first: number,
    count: number,
    floor: number,
    spread: number,
    out: number,
  ): number
  scanFloats(
    query: number,
    rows: number,
    stride: number,
    list: number,
    first: number,
    count: number,
    floor: number,
    out: number,
  ): number
  checksum(state: number, at: number, end: number): void
}

/** Consecutive rows from `first` on, or those of `list`; at most `mostRows`. */
export type Stretch = { first: number; count: number } | { list: Uint32Array }

/** Rows in WebAssembly memory, and a scan over them. One search at a time may use it between two turns of the event loop. */
export interface Kernel {
  /** [count, stride] bytes. */
  rows: Uint8Array<ArrayBuffer>
  query: Uint8Array<ArrayBuffer>
  /** How many rows reach `floor`; they stand in `found` until the next scan. `spread` counts for codes only. */
  scan(stretch: Stretch, floor: number, spread: number): number
  /**
   * Goes on with `sum`, 64 bytes that are zero at first, over the bytes of rows from `from` to `to`, both multiples of 64
   * or the end. Any change of the rows alters it: for certain where it lies within four bytes, else but for one in 2³².
   * Reads some 10 GB/s.
   */
  checksum(sum: Uint8Array, from: number, to: number): void
  /** Pairs, in no order: the i-th row is `rows[2 * i]`, its score `scores[2 * i + 1]`. */
  found: { rows: Uint32Array; scores: Float32Array }
}

interface Shape {
  /** Of a row: a multiple of 16. */
  stride: number
  count: number
  queryBytes: number
  scan: "codes" | "floats"
}

/** Rows of one call: 0.1 ms of work at 864 codes. */
export const mostRows = 1024

export const checksumBytes = 64

/**
 * Memory for `count` rows, all zero.
 * @throws Fault `too_large` / `index-too-large` beyond the 4 GiB that a WebAssembly memory can have
 */
export function openKernel({ stride, count, queryBytes, scan }: Shape): Kernel {
  const list = align(queryBytes)
  const out = list + 4 * mostRows
  const start = align(out + 8 * (mostRows + 4))
  const bytes = start + align(stride * count)
  if (bytes > mostPages * 65_536) {
    throw new Fault(
      "too_large",
      "index-too-large",
      `${count} rows of ${stride} bytes exceed the 4 GiB of one exact index: split the cohort`,
    )
  }
  const { exports: kernel, buffer } = openModule<Exports>("scan", bytes)
  const listed = new Uint32Array(buffer, list, mostRows)
  const rows = new Uint32Array(buffer, out, 2 * mostRows)
  const scores = new Float32Array(buffer, out, 2 * mostRows)
  return {
    rows: new Uint8Array(buffer, start, stride * count),
    query: new Uint8Array(buffer, 0, queryBytes),
    found: { rows, scores },
    checksum(sum, from, to) {
      const state = new Uint8Array(buffer, out, checksumBytes)
      state.set(sum)
      kernel.checksum(out, start + from, start + align(to))
      sum.set(state)
    },
    scan(stretch, floor, spread) {
      const inList = "list" in stretch
      const n = inList ? stretch.list.length : stretch.count
      const first = inList ? 0 : stretch.first
      // The kernel trusts its numbers: it would read a row beyond the end from other memory, or trap.
      if (n > mostRows || (!inList && first + n > count))
        throw new RangeError(`${n} rows from ${first} of ${count}`)
      if (inList) {
        for (let i = 0; i < n; i++) {
          if (stretch.list[i] >= count) throw new RangeError(`row ${stretch.list[i]} of an index of ${count}`)
        }
        listed.set(stretch.list)
      }
      const at = inList ? list : 0
      const end =
        scan === "codes"
          ? kernel.scanCodes(0, start, stride, at, first, n, floor, spread, out)
          : kernel.scanFloats(0, start, stride, at, first, n, floor, out)
      return (end - out) / 8
    },
  }
}

/** A cache line. */
function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64
}
