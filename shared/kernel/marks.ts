import { openModule } from "./open.ts"

/** `marks.wat` says what they do; addresses in bytes. */
interface Exports {
  mark8: Mark
  mark16: Mark
  mark32: Mark
  and(a: number, end: number, b: number): void
  or(a: number, end: number, b: number): void
  places(bits: number, end: number, first: number, out: number): number
}
type Mark = (codes: number, end: number, from: number, span: number, bits: number) => void

export type CodeArray = Uint8Array | Uint16Array | Uint32Array

/** Codes from the first up to before the second. */
export type Run = readonly [from: number, to: number]

/** At most so many rows are looked at together: one to four bytes of each, which a processor keeps at hand. */
export const blockRows = 131_072
/** Sets of marked rows that are there at once: a filter nested 50 deep, with & and | at every level, wants 103. */
export const slots = 128

/** Sets of rows of one block, each in a slot; what is done with them takes microseconds. */
export interface Marks {
  /** The slot becomes the rows whose code, one per row of the block, lies in one of the runs. */
  mark(slot: number, codes: CodeArray, runs: readonly Run[]): void
  /** The slot loses the rows that are not in the other one; both are of the same block. */
  and(slot: number, other: number): void
  /** The slot gains the rows of the other one. */
  or(slot: number, other: number): void
  /** The slot's rows, ascending, as a block of `count` rows that starts at `first` has them; good until the next call. */
  rows(slot: number, first: number, count: number): Uint32Array
}

const [codesBytes, placesBytes, slotBytes] = [4 * blockRows, 4 * blockRows, blockRows / 8]
const bitsAt = (slot: number) => codesBytes + placesBytes + slot * slotBytes

export function openMarks(): Marks {
  const { exports, buffer } = openModule<Exports>("marks", bitsAt(slots))
  const bytes = new Uint8Array(buffer)
  const markBy = { 1: exports.mark8, 2: exports.mark16, 4: exports.mark32 }
  return {
    mark(slot, codes, runs) {
      const { byteLength, BYTES_PER_ELEMENT: width } = codes
      bytes.set(new Uint8Array(codes.buffer, codes.byteOffset, byteLength))
      bytes.fill(0, bitsAt(slot), bitsAt(slot + 1))
      for (const [from, to] of runs) {
        if (to > from) markBy[width as 1 | 2 | 4](0, byteLength, from, to - from - 1, bitsAt(slot))
      }
    },
    and: (slot, other) => exports.and(bitsAt(slot), bitsAt(slot + 1), bitsAt(other)),
    or: (slot, other) => exports.or(bitsAt(slot), bitsAt(slot + 1), bitsAt(other)),
    rows(slot, first, count) {
      const end = exports.places(bitsAt(slot), bitsAt(slot + 1), first, codesBytes)
      const rows = new Uint32Array(buffer, codesBytes, (end - codesBytes) / 4)
      // Codes are looked at by thirty-twos: behind the last row some may be marked that are not there.
      let found = rows.length
      while (found > 0 && rows[found - 1] >= first + count) found--
      return rows.subarray(0, found)
    },
  }
}
