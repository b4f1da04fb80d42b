import { Fault } from "#shared/errors.ts"
import { huClip } from "../hu.ts"
import { limits } from "../volume.ts"
import { type Bytes, inflated, withFile } from "./bytes.ts"
import { decodeFrame } from "./codecs.ts"
import { type Encapsulated, readFragments, readFrame } from "./fragments.ts"
import type { Frame } from "./frames.ts"
import type { Slice } from "./group.ts"
import type { DicomObject, PixelFormat } from "./object.ts"
import { type Compression, codecOf, explicitBig } from "./syntax.ts"

/** Voxels without a measurement are taken for air. */
const air = huClip[0]

/** Bytes of one deflated object that are inflated into memory: as many 32-bit voxels as a volume may have. */
const mostInflated = 4 * limits.voxels

/** An object whose pixels are being read: many frames share one opening of the file. */
export interface OpenPixels {
  bytes: Bytes
  /** How frames are compressed and where; undefined for native pixels. */
  encapsulated: (Encapsulated & { codec: Compression }) | undefined
}

/**
 * Opens an object's pixels for the time `use` takes. Memory: nothing for a plain file; a deflated one is inflated
 * whole, never beyond what its header says its pixels take.
 * @throws Fault `unsupported-syntax`, `unsupported-pixels`, `zero-axes`, `no-pixels`, `short-pixels`, `too-many-bytes`, `truncated-file`, `damaged-pixels`
 */
export async function withPixels<T>(object: DicomObject, use: (open: OpenPixels) => Promise<T>): Promise<T> {
  const { pixels, format } = object
  const codec = codecOf(object.syntax)
  if (!pixels) throw new Fault("invalid", "no-pixels", "it has no PixelData")
  checkFormat(format)
  if ((codec === "native") !== (pixels.length !== undefined))
    throw new Fault("invalid", "damaged-pixels", "its pixels are not kept as its transfer syntax says")
  const needed = frameBytes(format) * object.frames.length
  if (pixels.length !== undefined && pixels.length < needed) {
    const message = `PixelData holds ${pixels.length} bytes where ${format.rows} × ${format.columns} pixels take ${needed}: the header or the pixels are wrong, export it again`
    throw new Fault("invalid", "short-pixels", message)
  }
  if (pixels.deflatedAt !== undefined) {
    if (needed > mostInflated) {
      const message = `the deflated pixels would take ${needed} bytes, the limit is ${mostInflated}: store the series uncompressed`
      throw new Fault("too_large", "too-many-bytes", message)
    }
    const bytes = await inflated(object.path, pixels.deflatedAt, pixels.offset + needed)
    return use({ bytes, encapsulated: undefined })
  }
  return withFile(object.path, async (bytes) =>
    use({
      bytes,
      encapsulated:
        codec === "native" ? undefined : { codec, ...(await readFragments(bytes, pixels.offset)) },
    }),
  )
}

/**
 * Reads one frame as HU into `out` [rows · columns]: stored value · slope + intercept in double, padding as air.
 * @throws Fault as `withPixels`
 */
export async function readHu(
  open: OpenPixels,
  { object, index, frame }: Slice,
  out: Float32Array,
): Promise<void> {
  const { format, syntax, pixels } = object
  const size = frameBytes(format)
  if (!open.encapsulated) {
    const raw = await open.bytes.read((pixels?.offset ?? 0) + index * size, size)
    return toHu(raw, format.bitsAllocated >> 3, syntax !== explicitBig, format, frame, out)
  }
  const compressed = await readFrame(open.bytes, open.encapsulated, index, object.frames.length)
  const raw = await decodeFrame(open.encapsulated.codec, compressed, format)
  const bytesPerSample = raw.length / out.length
  if (![1, 2, 4].includes(bytesPerSample))
    throw new Fault("invalid", "damaged-pixels", `${raw.length} bytes decoded for ${out.length} pixels`)
  // Decoders return whole samples, no overlay bits above HighBit. A lossy one may overshoot BitsStored, which
  // masking would turn into the other extreme; only a sign still has to be extended.
  const decoded = format.signed
    ? format
    : { ...format, bitsStored: 8 * bytesPerSample, highBit: 8 * bytesPerSample - 1 }
  toHu(raw, bytesPerSample, true, decoded, frame, out)
}

function frameBytes({ rows, columns, bitsAllocated }: PixelFormat): number {
  return rows * columns * (bitsAllocated >> 3)
}

function checkFormat({ rows, columns, bitsAllocated, bitsStored, highBit }: PixelFormat): void {
  if (rows < 1 || columns < 1)
    throw new Fault("invalid", "zero-axes", `the image is ${rows} × ${columns}: it holds no pixels`)
  const sound = bitsStored >= 1 && highBit < bitsAllocated && highBit >= bitsStored - 1
  if (![8, 16, 32].includes(bitsAllocated) || !sound) {
    const message = `${bitsStored} bits up to bit ${highBit} of ${bitsAllocated} cannot be read: store it with 16 bits allocated`
    throw new Fault("invalid", "unsupported-pixels", message)
  }
}

/** PS3.5 8.1.1: BitsStored bits, the highest at HighBit, of each sample; PS3.3 C.7.5.1.1.2 for the padding. */
function toHu(
  raw: Uint8Array,
  bytesPerSample: number,
  littleEndian: boolean,
  { bitsStored, highBit, signed, padding }: PixelFormat,
  { slope = 1, intercept = 0 }: Frame,
  out: Float32Array,
): void {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
  const sample =
    bytesPerSample === 1
      ? (i: number) => view.getInt8(i)
      : bytesPerSample === 2
        ? (i: number) => view.getInt16(2 * i, littleEndian)
        : (i: number) => view.getInt32(4 * i, littleEndian)
  const below = highBit + 1 - bitsStored
  const above = 32 - bitsStored
  const whole = bytesPerSample === 4 ? 0 : 32 - 8 * bytesPerSample
  const [low, high] = padding ?? [1, 0]
  for (let i = 0; i < out.length; i++) {
    const bits = sample(i)
    const unmasked = signed ? bits : (bits << whole) >>> whole
    const shifted = (bits >> below) << above
    const value = signed ? shifted >> above : shifted >>> above
    // Padding may be written without regard to BitsStored, so it is looked for before and after masking.
    const padded = (value >= low && value <= high) || (unmasked >= low && unmasked <= high)
    out[i] = padded ? air : value * slope + intercept
  }
}
