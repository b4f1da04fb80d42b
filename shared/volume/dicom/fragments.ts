import { Fault } from "#shared/errors.ts"
import type { Bytes } from "./bytes.ts"

interface Fragment {
  offset: number
  length: number
}

/** Encapsulated pixels (PS3.5 A.4): what lies where. Frames are read one at a time. */
export interface Encapsulated {
  fragments: Fragment[]
  /** Basic Offset Table: for each frame, where its first item starts, counted from the first item after the table. */
  table: number[]
}

const item = 0xe000fffe // (FFFE,E000), as one little-endian word
const sequenceEnd = 0xe0ddfffe // (FFFE,E0DD)

/**
 * Walks the items of encapsulated pixels; only their headers are read.
 * @throws Fault `truncated-file`, `damaged-pixels`
 */
export async function readFragments(bytes: Bytes, start: number): Promise<Encapsulated> {
  const fragments: Fragment[] = []
  let table: number[] | undefined
  for (let at = start; ; ) {
    // Some writers leave the delimiter out: the end of the file then ends the pixels too.
    if (at === bytes.size && fragments.length > 0) break
    const head = Buffer.from(await bytes.read(at, 8))
    const [tag, length] = [head.readUInt32LE(0), head.readUInt32LE(4)]
    if (tag === sequenceEnd) break
    if (tag !== item) throw damaged("an item does not begin where the one before it ends")
    at += 8
    if (table) fragments.push({ offset: at, length })
    else table = offsets(Buffer.from(await bytes.read(at, length)))
    at += length
  }
  return { fragments, table: table ?? [] }
}

function offsets(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length >> 2 }, (_, i) => bytes.readUInt32LE(4 * i))
}

/** The compressed bytes of frame `index` of `count`. */
export async function readFrame(
  bytes: Bytes,
  { fragments, table }: Encapsulated,
  index: number,
  count: number,
): Promise<Uint8Array> {
  const [from, to] = range(fragments, table, index, count)
  const parts: Uint8Array[] = []
  for (const { offset, length } of fragments.slice(from, to)) parts.push(await bytes.read(offset, length))
  if (parts.length === 0) throw damaged(`frame ${index + 1} has no fragment`)
  return parts.length === 1 ? parts[0] : Buffer.concat(parts)
}

/** Which fragments make a frame up: all of a single one, one each, or what the offset table says. */
function range(fragments: Fragment[], table: number[], index: number, count: number): [number, number] {
  if (count === 1) return [0, fragments.length]
  if (fragments.length === count) return [index, index + 1]
  if (table.length !== count) throw damaged(`${fragments.length} fragments for ${count} frames, and no table`)
  const base = fragments[0].offset
  const at = (offset: number | undefined) =>
    offset === undefined ? fragments.length : fragments.findIndex((f) => f.offset - base === offset)
  const [from, to] = [at(table[index]), at(table[index + 1])]
  if (from < 0 || to <= from) throw damaged("its offset table points beside the fragments")
  return [from, to]
}

function damaged(what: string): Fault {
  return new Fault("invalid", "damaged-pixels", `the compressed pixels are damaged (${what})`)
}
