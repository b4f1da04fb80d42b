import { Fault } from "#shared/errors.ts"
import type { Triple } from "./affine.ts"
import { type Layout, place } from "./canonical.ts"
import type { ByteStream } from "./gzip.ts"
import type { VoxelType } from "./nifti-type.ts"
import { limits, type Note } from "./volume.ts"

/** What the header says of the voxels, and where they are to go. */
export interface VoxelPlan {
  /** Bytes from the beginning of the file to the first voxel, and how many of these have been read. */
  offset: number
  consumed: number
  type: VoxelType
  littleEndian: boolean
  slope: number
  intercept: number
  /** Stored, slowest axis first. */
  shape: Triple
  layout: Layout
}

/** A multiple of every voxel's size. */
const chunkBytes = 1 << 18

/** Some writers fill up their last block; a file that goes on for longer is not what its header says. */
const slackBytes = 1 << 20

/**
 * Reads all voxels as HU on canonical axes, and the stream to its end, so that gzip's checksum is looked at.
 * Holds the result and one chunk.
 * @throws Fault `bad-offset`, `too-many-bytes`, `truncated`, `longer-than-header`
 */
export async function readVoxels(
  stream: ByteStream,
  plan: VoxelPlan,
): Promise<{ voxels: Float32Array; notes: Note[] }> {
  const { type, littleEndian, slope, intercept, shape, layout } = plan
  const length = shape[0] * shape[1] * shape[2]
  const buffer = new ArrayBuffer(chunkBytes)
  checkPromise(stream, plan, length * type.bytes)
  await skip(stream, plan.offset - plan.consumed, buffer)

  const voxels = new Float32Array(length)
  for (let first = 0; first < length; ) {
    const count = Math.min(chunkBytes / type.bytes, length - first)
    const bytes = Buffer.from(buffer, 0, count * type.bytes)
    if ((await stream.read(bytes)) < bytes.length) throw truncated()
    if (!littleEndian) swap(bytes, type.bytes)
    place({ values: type.view(buffer, count), first, slope, intercept, shape, layout, into: voxels })
    first += count
  }
  return { voxels, notes: await readRest(stream, buffer) }
}

/** Before anything is allocated: can so many bytes be there at all? */
function checkPromise(stream: ByteStream, { offset, consumed }: VoxelPlan, voxelBytes: number): void {
  if (!Number.isSafeInteger(offset) || offset < consumed) {
    const message = `the header puts the first voxel at byte ${offset}, which cannot be: export it again`
    throw new Fault("invalid", "bad-offset", message)
  }
  const promised = offset + voxelBytes
  if (promised > limits.expandedBytes) {
    const message = `the header promises ${promised} bytes, the limit is ${limits.expandedBytes}: crop or resample it first`
    throw new Fault("too_large", "too-many-bytes", message)
  }
  if (promised > stream.atMost) throw truncated()
}

async function skip(stream: ByteStream, bytes: number, buffer: ArrayBuffer): Promise<void> {
  for (let left = bytes; left > 0; ) {
    const got = await stream.read(new Uint8Array(buffer, 0, Math.min(left, chunkBytes)))
    if (got === 0) throw truncated()
    left -= got
  }
}

async function readRest(stream: ByteStream, buffer: ArrayBuffer): Promise<Note[]> {
  let rest = 0
  for (let got = -1; got !== 0; rest += got) {
    got = await stream.read(new Uint8Array(buffer))
    if (rest + got > slackBytes) {
      const message = `the file goes on for more than ${slackBytes} bytes after the voxels its header promises: export it again`
      throw new Fault("too_large", "longer-than-header", message)
    }
  }
  if (rest === 0) return []
  return [{ code: "trailing-bytes", message: `${rest} bytes after the last voxel were ignored` }]
}

function swap(bytes: Buffer, size: number): void {
  if (size === 2) bytes.swap16()
  if (size === 4) bytes.swap32()
  if (size === 8) bytes.swap64()
}

function truncated(): Fault {
  const message = "the file ends before the voxels its header promises: it was cut, copy or download it again"
  return new Fault("invalid", "truncated", message)
}
