import { Fault } from "#shared/errors.ts"
import type { NiftiHeader } from "./nifti-header.ts"
import type { Note } from "./volume.ts"

/** How the bytes of one voxel are to be understood. */
export interface VoxelType {
  bytes: number
  /** `buffer` holds little-endian numbers, as every machine we run on. */
  view(buffer: ArrayBuffer, count: number): ArrayLike<number>
}

/** NIFTI_TYPE_* of nifti1.h, those that can hold HU. */
const voxelTypes: Record<number, VoxelType> = {
  2: { bytes: 1, view: (buffer, count) => new Uint8Array(buffer, 0, count) },
  4: { bytes: 2, view: (buffer, count) => new Int16Array(buffer, 0, count) },
  8: { bytes: 4, view: (buffer, count) => new Int32Array(buffer, 0, count) },
  16: { bytes: 4, view: (buffer, count) => new Float32Array(buffer, 0, count) },
  64: { bytes: 8, view: (buffer, count) => new Float64Array(buffer, 0, count) },
  256: { bytes: 1, view: (buffer, count) => new Int8Array(buffer, 0, count) },
  512: { bytes: 2, view: (buffer, count) => new Uint16Array(buffer, 0, count) },
  768: { bytes: 4, view: (buffer, count) => new Uint32Array(buffer, 0, count) },
  1024: { bytes: 8, view: (buffer, count) => from64(new Int32Array(buffer, 0, 2 * count), buffer) },
  1280: { bytes: 8, view: (buffer, count) => from64(new Uint32Array(buffer, 0, 2 * count), buffer) },
}

/** Low and high words to doubles: exact up to 2^53, and many times faster than BigInt. The sign is in `high`. */
function from64(high: Int32Array | Uint32Array, buffer: ArrayBuffer): Float64Array {
  const low = new Uint32Array(buffer, 0, high.length)
  return Float64Array.from({ length: high.length / 2 }, (_, i) => high[2 * i + 1] * 2 ** 32 + low[2 * i])
}

const refusedTypes: Record<number, string> = {
  1: "single bits",
  32: "complex numbers",
  128: "RGB colours",
  1536: "128-bit floats",
  1792: "complex numbers",
  2048: "complex numbers",
  2304: "RGBA colours",
}

/** @throws Fault `unsupported-datatype` */
export function voxelType({ datatype }: NiftiHeader): VoxelType {
  const type = voxelTypes[datatype]
  if (type) return type
  const what = refusedTypes[datatype] ?? `of an unknown type (${datatype})`
  throw new Fault("invalid", "unsupported-datatype", `the voxels are ${what}: save HU as int16 or float32`)
}

export interface Scaling {
  slope: number
  intercept: number
  notes: Note[]
}

/**
 * How stored numbers become HU: stored · slope + intercept, and a slope of 0 means not scaled (nifti1.h).
 * @throws Fault `bad-scaling`
 */
export function scaling({ slope, intercept }: NiftiHeader): Scaling {
  const unscaled = { slope: 1, intercept: 0 }
  if (!Number.isFinite(slope)) {
    const message = "the slope is not a number: the stored values were taken as HU"
    return { ...unscaled, notes: [{ code: "slope-ignored", message }] }
  }
  if (slope === 0) {
    const message = `the slope is 0, so the intercept ${intercept} does not count: the stored values were taken as HU`
    return { ...unscaled, notes: intercept === 0 ? [] : [{ code: "intercept-ignored", message }] }
  }
  if (!Number.isFinite(intercept))
    throw new Fault("invalid", "bad-scaling", "the intercept is not a number: set scl_inter and save again")
  return { slope, intercept, notes: [] }
}
