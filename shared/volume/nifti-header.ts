import { Fault } from "#shared/errors.ts"
import type { Triple } from "./affine.ts"
import type { ByteStream } from "./gzip.ts"

/** The fields of a NIfTI-1 or -2 header that voxels and geometry depend on, as stored. Free text is never read. */
export interface NiftiHeader {
  /** Length of the header itself. */
  bytes: number
  littleEndian: boolean
  /** False for the .hdr half of a pair, whose voxels are in the .img. */
  singleFile: boolean
  /** dim[0] is the number of axes; dim[1] is the fastest. */
  dim: number[]
  pixdim: number[]
  datatype: number
  /** Where the voxels begin, in bytes. */
  offset: number
  slope: number
  intercept: number
  xyztUnits: number
  qformCode: number
  sformCode: number
  /** quatern_b, quatern_c, quatern_d */
  quaternion: Triple
  qoffset: Triple
  /** srow_x, srow_y, srow_z */
  srow: number[][]
}

/** Byte lengths: sizeof_hdr of nifti1.h and nifti2.h. */
const size1 = 348
const size2 = 540

function magic(head: Uint8Array, at: number): string {
  return String.fromCharCode(...head.subarray(at, at + 4))
}

function version(head: Uint8Array): 1 | 2 | undefined {
  if (["n+2\0", "ni2\0"].includes(magic(head, 4))) return 2
  if (["n+1\0", "ni1\0"].includes(magic(head, 344))) return 1
}

/** True if a file (or the inflated content of a gzip) that begins with `head`, 348 bytes or more, is NIfTI-1 or -2. */
export function isNifti(head: Uint8Array): boolean {
  return version(head) !== undefined
}

/**
 * Reads the header at the beginning of a stream, and not a byte more.
 * @throws Fault `empty-file`, `not-nifti`, `bad-header`
 */
export async function readHeader(stream: ByteStream): Promise<NiftiHeader> {
  const head = new Uint8Array(size2)
  const got = await stream.read(head.subarray(0, size1))
  if (got === 0) throw new Fault("invalid", "empty-file", "the file is empty: export it again")
  const kind = version(head)
  if (!kind) {
    const why = "not NIfTI: its header has no NIfTI-1 or -2 magic, whatever its name says"
    throw new Fault("invalid", "not-nifti", `${why}; give a .nii, .nii.gz or .hdr/.img file`)
  }
  const size = kind === 1 ? size1 : size2
  const all = got + (await stream.read(head.subarray(got, size)))
  const view = new DataView(head.buffer)
  const littleEndian = view.getInt32(0, true) === size
  if (all < size || (!littleEndian && view.getInt32(0, false) !== size)) {
    throw new Fault("invalid", "bad-header", `the NIfTI-${kind} header is not ${size} bytes: export it again`)
  }
  return kind === 1 ? header1(head, view, littleEndian) : header2(head, view, littleEndian)
}

const list = (n: number, read: (i: number) => number) => Array.from({ length: n }, (_, i) => read(i))

/** Offsets: nifti1.h, struct nifti_1_header. */
function header1(head: Uint8Array, view: DataView, littleEndian: boolean): NiftiHeader {
  const i16 = (at: number) => view.getInt16(at, littleEndian)
  const f32 = (at: number) => view.getFloat32(at, littleEndian)
  return {
    bytes: size1,
    littleEndian,
    singleFile: magic(head, 344) === "n+1\0",
    dim: list(8, (i) => i16(40 + 2 * i)),
    pixdim: list(8, (i) => f32(76 + 4 * i)),
    datatype: i16(70),
    offset: f32(108),
    slope: f32(112),
    intercept: f32(116),
    xyztUnits: view.getUint8(123),
    qformCode: i16(252),
    sformCode: i16(254),
    quaternion: [f32(256), f32(260), f32(264)],
    qoffset: [f32(268), f32(272), f32(276)],
    srow: [280, 296, 312].map((row) => list(4, (i) => f32(row + 4 * i))),
  }
}

/** Offsets: nifti2.h, struct nifti_2_header. */
function header2(head: Uint8Array, view: DataView, littleEndian: boolean): NiftiHeader {
  const i32 = (at: number) => view.getInt32(at, littleEndian)
  const i64 = (at: number) => Number(view.getBigInt64(at, littleEndian))
  const f64 = (at: number) => view.getFloat64(at, littleEndian)
  return {
    bytes: size2,
    littleEndian,
    singleFile: magic(head, 4) === "n+2\0",
    dim: list(8, (i) => i64(16 + 8 * i)),
    pixdim: list(8, (i) => f64(104 + 8 * i)),
    datatype: view.getInt16(12, littleEndian),
    offset: i64(168),
    slope: f64(176),
    intercept: f64(184),
    xyztUnits: i32(500),
    qformCode: i32(344),
    sformCode: i32(348),
    quaternion: [f64(352), f64(360), f64(368)],
    qoffset: [f64(376), f64(384), f64(392)],
    srow: [400, 432, 464].map((row) => list(4, (i) => f64(row + 8 * i))),
  }
}
