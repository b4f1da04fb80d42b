import { Fault } from "#shared/errors.ts"

/** Bytes before the first row: hnswlib's `saveIndex` writes its fields raw, on a 64-bit little-endian machine. */
const headerBytes = 96

/**
 * Checks that a saved graph fits `size` rows of `dim` numbers and that no link leads out of it. hnswlib trusts its
 * file: another dim goes unnoticed, and a wrong link ends the process.
 * @throws Fault `unavailable` / `bad-graph`
 */
export function checkGraph(bytes: Uint8Array, { dim, size }: { dim: number; size: number }): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  need(bytes.length >= headerBytes, "it is cut short")
  const field = (at: number) => Number(view.getBigUint64(at, true))
  const m = field(72)
  need(m >= 2 && m <= 1024 && field(56) === m && field(64) === 2 * m, "its m is wrong")

  // One row on level 0: a count and up to 2m links, the vector, the label as u64.
  const vectorAt = 4 + 4 * (2 * m)
  const labelAt = vectorAt + 4 * dim
  const rowBytes = labelAt + 8
  need(
    field(0) === 0 && field(24) === rowBytes && field(32) === labelAt && field(40) === vectorAt,
    "its dim is wrong",
  )
  need(field(8) === size && field(16) === size, "its count of rows is wrong")

  const levels = readLevels(view, { size, m, from: headerBytes + size * rowBytes })
  const topLevel = view.getInt32(48, true)
  const entry = view.getUint32(52, true)
  need(size === 0 || (entry < size && levels[entry] === topLevel), "its entry point is wrong")

  let upperAt = headerBytes + size * rowBytes
  for (let row = 0; row < size; row++) {
    const at = headerBytes + row * rowBytes
    need(view.getUint8(at + 2) === 0 && view.getUint8(at + 3) === 0, "a row of it is marked deleted")
    need(Number(view.getBigUint64(at + labelAt, true)) === row, "its labels are wrong")
    checkLinks(view, { at, most: 2 * m, levels, level: 0 })
    upperAt += 4
    for (let level = 1; level <= levels[row]; level++, upperAt += 4 + 4 * m) {
      checkLinks(view, { at: upperAt, most: m, levels, level })
    }
  }
}

/** The top level of each row, from the lengths of the rows' upper link lists; these end the file. */
function readLevels(
  view: DataView,
  { size, m, from }: { size: number; m: number; from: number },
): Uint8Array {
  const levels = new Uint8Array(size)
  let at = from
  for (let row = 0; row < size; row++) {
    need(at + 4 <= view.byteLength, "it is cut short")
    const bytes = view.getUint32(at, true)
    levels[row] = bytes / (4 + 4 * m)
    need(levels[row] * (4 + 4 * m) === bytes, "its levels are wrong")
    at += 4 + bytes
  }
  need(at === view.byteLength, "its length is wrong")
  return levels
}

interface Links {
  at: number
  most: number
  levels: Uint8Array
  level: number
}

/** A list of links: their count as u16, then row numbers as u32; each leads to a row that reaches this level. */
function checkLinks(view: DataView, { at, most, levels, level }: Links): void {
  const count = view.getUint16(at, true)
  need(count <= most, "it has too many links")
  for (let i = 0; i < count; i++) {
    const to = view.getUint32(at + 4 + 4 * i, true)
    need(to < levels.length && levels[to] >= level, "a link leads nowhere")
  }
}

function need(holds: boolean, what: string): void {
  if (!holds) throw new Fault("unavailable", "bad-graph", `the HNSW graph is damaged, ${what}: publish again`)
}
