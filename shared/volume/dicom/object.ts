import { basename } from "node:path"
import { Fault } from "#shared/errors.ts"
import { inflateHead, withFile } from "./bytes.ts"
import {
  type Dataset,
  type Encoding,
  type ParsedHead,
  parseHead,
  parseMeta,
  text,
  uint16,
  undefinedLength,
} from "./dataset.ts"
import { type Frame, framesOf } from "./frames.ts"
import { deflated, explicitBig, explicitLittle, implicitLittle } from "./syntax.ts"

/** How one frame's pixels are kept; PS3.3 C.7.6.3. */
export interface PixelFormat {
  rows: number
  columns: number
  samples: number
  photometric: string
  bitsAllocated: number
  bitsStored: number
  highBit: number
  signed: boolean
  /** Stored values from … to … (both included) mean: no measurement here. */
  padding: readonly [number, number] | undefined
}

/** Where the PixelData element's value lies. */
export interface PixelPlace {
  offset: number
  /** Bytes; undefined for encapsulated pixels. */
  length: number | undefined
  /** Where the deflated dataset starts in the file; `offset` then counts inflated bytes. */
  deflatedAt: number | undefined
}

/** What the reader needs of one DICOM object. The UIDs serve to group and compare, and go nowhere else. */
export interface DicomObject {
  path: string
  /** The file's name, for messages. */
  name: string
  syntax: string
  sopClass: string
  modality: string
  imageType: string[]
  seriesUid: string
  instanceUid: string
  seriesNumber: number
  acquisitionNumber: number
  instanceNumber: number
  format: PixelFormat
  pixels: PixelPlace | undefined
  frames: Frame[]
}

/** Bytes read at first, and the most a header may take before its pixels. */
const headBytes = [2 ** 16, 2 ** 20, 2 ** 24, 2 ** 28]

/** Far above any CT: the longest perfusion series have some ten thousand. */
const mostFrames = 2 ** 17

/** Where DICOM begins in a file that starts with `head` (132 bytes or more): behind the preamble, or at 0 without one. */
function startOf(head: Uint8Array): number | undefined {
  if (Buffer.from(head.buffer, head.byteOffset, head.length).toString("latin1", 128, 132) === "DICM")
    return 132
  // Without a preamble the first element is of group 0002 or 0008, which nothing but DICOM starts with.
  return head.length >= 16 && guess(head, 0) ? 0 : undefined
}

export function isDicom(head: Uint8Array): boolean {
  return startOf(head) !== undefined
}

/** The encoding that the element at `at` shows, where no transfer syntax says it. */
function guess(bytes: Uint8Array, at: number): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (at + 16 > bytes.length) return undefined
  const vr = String.fromCharCode(bytes[at + 4], bytes[at + 5])
  const group = view.getUint16(at, true)
  if (group === 0x0800) return /^[A-Z]{2}$/.test(vr) ? explicitBig : undefined
  if (group !== 0x0008 && group !== 0x0002) return undefined
  if (/^[A-Z]{2}$/.test(vr)) return explicitLittle
  return view.getUint32(at + 4, true) <= 0x400 ? implicitLittle : undefined
}

/**
 * Reads a file's header, up to its pixels; no pixel is kept. Memory: the header, and never more than 256 MiB.
 * @throws Fault `damaged-header`
 */
export async function readObject(path: string): Promise<DicomObject> {
  return withFile(path, async (file) => {
    for (const most of headBytes) {
      const head = await file.read(0, Math.min(most, file.size))
      const parsed = parseFile(head)
      if (parsed.pixels || head.length === file.size) return objectOf(path, parsed)
    }
    throw damaged("its header is longer than 256 MiB")
  })
}

interface ParsedFile extends ParsedHead {
  syntax: string
  mediaClass: string
  deflatedAt: number | undefined
}

function parseFile(head: Uint8Array): ParsedFile {
  const start = startOf(head)
  if (start === undefined) throw damaged("it does not begin like DICOM")
  const meta = parseMeta(head, start)
  const mediaClass = text(meta.dataset, 0x00020002) // MediaStorageSOPClassUID
  const syntax = text(meta.dataset, 0x00020010) || guess(head, meta.end) || implicitLittle // TransferSyntaxUID
  const encoding: Encoding = { explicit: syntax !== implicitLittle, littleEndian: syntax !== explicitBig }
  const facts = { syntax, mediaClass }
  if (syntax !== deflated) return { ...parseHead(head, meta.end, encoding), ...facts, deflatedAt: undefined }
  const dataset = inflateHead(head.subarray(meta.end))
  return { ...parseHead(dataset, 0, encoding), ...facts, deflatedAt: meta.end }
}

function objectOf(path: string, parsed: ParsedFile): DicomObject {
  const { dataset, pixels, short, syntax, mediaClass, deflatedAt } = parsed
  if (short) throw damaged("it ends or breaks off before the pixels")
  const integer = (tag: number) => Number.parseInt(text(dataset, tag), 10) || 0
  const count = Math.max(1, integer(0x00280008)) // NumberOfFrames
  if (count > mostFrames) throw damaged(`it promises ${count} frames`)
  return {
    path,
    name: basename(path),
    syntax,
    sopClass: text(dataset, 0x00080016) || mediaClass,
    modality: text(dataset, 0x00080060),
    imageType: text(dataset, 0x00080008).split("\\"),
    seriesUid: text(dataset, 0x0020000e),
    instanceUid: text(dataset, 0x00080018),
    seriesNumber: integer(0x00200011),
    acquisitionNumber: integer(0x00200012),
    instanceNumber: integer(0x00200013),
    format: formatOf(dataset),
    pixels: pixels && {
      offset: pixels.offset,
      length: pixels.length === undefinedLength ? undefined : pixels.length,
      deflatedAt,
    },
    frames: pixels ? framesOf(dataset, count) : [],
  }
}

function formatOf(dataset: Dataset): PixelFormat {
  const at = (tag: number, otherwise: number) => uint16(dataset, tag) ?? otherwise
  const bitsAllocated = at(0x00280100, 16)
  const bitsStored = at(0x00280101, bitsAllocated)
  const signed = at(0x00280103, 0) === 1 // PixelRepresentation
  // PixelPaddingValue and PixelPaddingRangeLimit: 16 bits, meant as the pixels are, whatever their VR says.
  const padding = [0x00280120, 0x00280121].map((tag) => {
    const bits = uint16(dataset, tag)
    return bits !== undefined && signed ? (bits << 16) >> 16 : bits
  })
  const [value, limit = value] = padding
  return {
    rows: at(0x00280010, 0),
    columns: at(0x00280011, 0),
    samples: at(0x00280002, 1),
    photometric: text(dataset, 0x00280004),
    bitsAllocated,
    bitsStored,
    highBit: at(0x00280102, bitsStored - 1),
    signed,
    padding:
      value === undefined || limit === undefined
        ? undefined
        : [Math.min(value, limit), Math.max(value, limit)],
  }
}

function damaged(what: string): Fault {
  return new Fault("invalid", "damaged-header", `the DICOM header is damaged (${what}): copy the file again`)
}
