/**
 * Reads DICOM elements (PS3.5) from the head of an object, in any byte order, explicit or implicit. It keeps only
 * where each value lies; it descends into the sequences of the functional groups and steps over all others.
 */
export interface Encoding {
  explicit: boolean
  littleEndian: boolean
}

export interface Element {
  vr: string
  /** Where the value starts. */
  offset: number
  /** Bytes of the value, or `undefinedLength`. */
  length: number
  items: Dataset[]
}

export interface Dataset {
  view: DataView
  littleEndian: boolean
  /** By tag: group · 65536 + element. */
  elements: Map<number, Element>
}

export const undefinedLength = 0xffffffff
export const pixelDataTag = 0x7fe00010
const item = 0xfffee000
const itemEnd = 0xfffee00d
const sequenceEnd = 0xfffee0dd

/** Explicit VRs whose length takes four bytes after two reserved ones; PS3.5 table 7.1-1. */
const longVrs = new Set(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"])

/** Functional groups and the macros in them that say where a frame lies and how it is scaled; PS3.3 C.7.6.16. */
const sequences = new Set([0x52009229, 0x52009230, 0x00209113, 0x00209116, 0x00289110, 0x00289145])

/** Deeper nesting than any real object has; stops a made-up one from exhausting the stack. */
const deepest = 16

interface Reader extends Encoding {
  view: DataView
  at: number
  /** The bytes ended, or made no sense, before the dataset did. */
  short: boolean
}

export interface ParsedHead {
  dataset: Dataset
  /** The PixelData element, where parsing stops; absent when it was not reached. */
  pixels: Element | undefined
  short: boolean
}

/** Parses from `start` up to PixelData (7FE0,0010) or the end of `bytes`. */
export function parseHead(bytes: Uint8Array, start: number, encoding: Encoding): ParsedHead {
  const reader = readerOf(bytes, start, encoding)
  const dataset = readDataset(reader, bytes.length, 0)
  const pixels = dataset.elements.get(pixelDataTag)
  return { dataset, pixels, short: reader.short && !pixels }
}

/** Parses file meta information (group 0002, always explicit little endian; PS3.10 7.1). `end` is where it stops. */
export function parseMeta(bytes: Uint8Array, start: number): { dataset: Dataset; end: number } {
  const reader = readerOf(bytes, start, { explicit: true, littleEndian: true })
  const dataset: Dataset = { view: reader.view, littleEndian: true, elements: new Map() }
  while (reader.at + 8 <= bytes.length && reader.view.getUint16(reader.at, true) === 0x0002) {
    const [tag, element] = readElement(reader, bytes.length) ?? [0, undefined]
    if (!element || reader.at + element.length > bytes.length) break
    dataset.elements.set(tag, element)
    reader.at += element.length
  }
  return { dataset, end: reader.at }
}

function readerOf(bytes: Uint8Array, at: number, encoding: Encoding): Reader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { view, at, ...encoding, short: false }
}

function readElement(r: Reader, limit: number): [tag: number, element: Element] | undefined {
  const short = () => {
    r.short = true
    return undefined
  }
  if (r.at + 8 > limit) return short()
  const group = r.view.getUint16(r.at, r.littleEndian)
  const tag = group * 0x10000 + r.view.getUint16(r.at + 2, r.littleEndian)
  r.at += 4
  // Items and delimiters have no VR even in explicit datasets.
  if (!r.explicit || group === 0xfffe) {
    const length = r.view.getUint32(r.at, r.littleEndian)
    r.at += 4
    return [tag, { vr: "", offset: r.at, length, items: [] }]
  }
  const vr = String.fromCharCode(r.view.getUint8(r.at), r.view.getUint8(r.at + 1))
  const long = longVrs.has(vr)
  if (long && r.at + 8 > limit) return short()
  const length = long
    ? r.view.getUint32(r.at + 4, r.littleEndian)
    : r.view.getUint16(r.at + 2, r.littleEndian)
  r.at += long ? 8 : 4
  return [tag, { vr, offset: r.at, length, items: [] }]
}

function readDataset(r: Reader, limit: number, depth: number): Dataset {
  const dataset: Dataset = { view: r.view, littleEndian: r.littleEndian, elements: new Map() }
  if (depth > deepest) r.short = true
  while (r.at < limit && !r.short) {
    const read = readElement(r, limit)
    if (!read) break
    const [tag, element] = read
    if (tag === itemEnd) break
    dataset.elements.set(tag, element)
    if (tag === pixelDataTag && depth === 0) break
    if (element.length === undefinedLength || (sequences.has(tag) && element.length > 0)) {
      readItems(r, limit, tag, element, depth)
    } else if (r.at + element.length > limit) r.short = true
    else r.at += element.length
  }
  return dataset
}

function readItems(r: Reader, limit: number, tag: number, element: Element, depth: number): void {
  const open = element.length === undefinedLength
  const end = open ? limit : r.at + element.length
  if (end > limit) r.short = true
  // A sequence kept as UN is encoded implicitly; PS3.5 6.2.2. The items of an icon's pixel data are no datasets.
  const inner = element.vr === "UN" ? { ...r, explicit: false, littleEndian: true } : r
  while (r.at < end && !r.short) {
    const [itemTag, header] = readElement(r, end) ?? [0, undefined]
    if (!header || itemTag === sequenceEnd) return
    if (itemTag !== item) r.short = true
    else if (header.length === undefinedLength) {
      inner.at = r.at
      element.items.push(readDataset(inner, end, depth + 1))
      r.at = inner.at
      r.short = inner.short
    } else if (r.at + header.length > end) r.short = true
    else {
      const next = r.at + header.length
      inner.at = r.at
      if (tag !== pixelDataTag) element.items.push(readDataset(inner, next, depth + 1))
      r.short = inner.short
      r.at = next
    }
  }
}

/** The text of an element, trimmed; "" when absent. */
export function text(dataset: Dataset, tag: number): string {
  const element = dataset.elements.get(tag)
  if (!element || element.length === undefinedLength) return ""
  const { buffer, byteOffset } = dataset.view
  return Buffer.from(buffer, byteOffset + element.offset, element.length)
    .toString("latin1")
    .replaceAll("\0", "")
    .trim()
}

/** The decimal numbers of a DS or IS element; undefined when it is absent, has fewer than `count`, or one is no number. */
export function numbers(dataset: Dataset, tag: number, count: number): number[] | undefined {
  const parts = text(dataset, tag).split("\\")
  const values = parts.map((part) => (part.trim() === "" ? Number.NaN : Number(part)))
  return values.length >= count && values.every(Number.isFinite) ? values : undefined
}

/** An unsigned 16-bit value (US, or the bits of an SS); undefined when absent. */
export function uint16(dataset: Dataset, tag: number): number | undefined {
  const element = dataset.elements.get(tag)
  if (!element || element.length < 2 || element.length === undefinedLength) return undefined
  return dataset.view.getUint16(element.offset, dataset.littleEndian)
}
