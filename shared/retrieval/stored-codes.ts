import { codeStride, codesIn } from "#shared/exact/codes.ts"
import { type Approximation, type Candidates, lookFor } from "#shared/exact/scan.ts"
import { checksumBytes, type Kernel, openKernel } from "#shared/kernel/scan.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import type { CodesHead } from "./codes-part.ts"
import { corrupt, type Manifest } from "./snapshot.ts"

/** The codes of a snapshot, where they lie in the store. What either gives was checked by the checksum. */
export interface StoredCodes {
  /**
   * Scans them while they are read, and keeps none: memory that is written to for the first time takes longer than the
   * reading. @throws Fault `corrupt-snapshot`
   */
  scan(query: Float32Array, options: { k: number; rows?: Uint32Array }): Promise<Candidates>
  /** All of them, in a kernel's memory. @throws Fault `corrupt-snapshot`, `index-too-large` */
  load(): Promise<Approximation>
}

/** Rows of one read: 1.8 MB at 864 numbers. Two cores have enough with two on the way while one is scanned. */
const blockRows = 2048
const blocksAtOnce = 3
/** Where they are to stay, larger ones: nothing is done with them meanwhile but the checksum. */
const loadRows = 4 * blockRows
const loadsAtOnce = 4

export function storedCodes(objects: ObjectStore, manifest: Manifest, head: CodesHead): StoredCodes {
  const { cohort, encoder, snapshot, dim, count } = manifest
  const { mean, reach } = head
  const stride = codeStride(dim)
  const key = keys.snapshotPart(cohort, encoder, snapshot, "codes.i8")
  const damaged = (what: string) => corrupt(cohort, snapshot, "codes.i8", what)
  const room = (rows: number) => openKernel({ stride, count: rows, queryBytes: 2 * stride, scan: "codes" })

  return {
    async scan(query, { k, rows }) {
      const kernel = room(Math.min(count, blocksAtOnce * blockRows))
      const codes = codesIn(kernel, { dim, mean, reach, rows: kernel.rows })
      const terms = codes.terms(query)
      const look = lookFor(k, codes, terms)
      kernel.query.set(terms.bytes)
      let passed = 0
      await read(kernel, { size: blockRows, atOnce: blocksAtOnce }, (first, n, place) => {
        if (!rows) {
          for (let i = 0; i < n; ) i += look.at({ first: place + i, count: n - i }, first - place)
          return
        }
        const from = passed
        while (passed < rows.length && rows[passed] < first + n) passed++
        const list = rows.subarray(from, passed).map((row) => row - first + place)
        for (let i = 0; i < list.length; ) i += look.at({ list: list.subarray(i) }, first - place)
      })
      return look.candidates()
    },
    async load() {
      const kernel = room(count)
      await read(kernel, { size: loadRows, atOnce: loadsAtOnce }, () => {})
      return codesIn(kernel, { dim, mean, reach, rows: kernel.rows })
    },
  }

  /**
   * Reads the rows in order, block after block, into the kernel, over again from its start where it is full; hands the
   * `n` rows from `first` on to `take`, which find them from row `place` of the kernel on. Only when it has returned is
   * what was handed over known to be what was published.
   */
  async function read(
    kernel: Kernel,
    { size, atOnce }: { size: number; atOnce: number },
    take: (first: number, n: number, place: number) => void,
  ): Promise<void> {
    const room = kernel.rows.length / stride
    const sum = new Uint8Array(checksumBytes)
    const block = async (first: number) => {
      const n = Math.min(size, count - first)
      const place = first % room
      const into = kernel.rows.subarray(place * stride, (place + n) * stride)
      const found = await objects.get(key, { start: first * stride, end: (first + n) * stride, into })
      if (found?.bytes.length !== n * stride)
        throw damaged(found ? "is not what was published" : "is missing")
      return { n, place }
    }
    const onTheWay: ReturnType<typeof block>[] = []
    const begin = (first: number) => {
      if (first >= count) return
      const begun = block(first)
      begun.catch(() => {}) // it is told when it is awaited, if it ever is
      onTheWay.push(begun)
    }
    for (let i = 0; i < atOnce; i++) begin(i * size)
    for (let first = 0; first < count; first += size) {
      const { n, place } = await onTheWay.shift()!
      const end = (place + n) * stride
      // The checksum goes on to the next 64 bytes, which must be zero there, and not what was read before.
      if (first + n === count) kernel.rows.fill(0, end, end + checksumBytes)
      kernel.checksum(sum, place * stride, end)
      take(first, n, place)
      begin(first + atOnce * size)
    }
    if (Buffer.compare(sum, head.checksum) !== 0) throw damaged("is not what was published")
  }
}
