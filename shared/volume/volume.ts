import type { Matrix4, Triple } from "./affine.ts"

/** A CT volume in patient space. Axes are always [z, y, x]: z towards the head, y towards the back, x towards the left. */
export interface Volume {
  /** HU, C order: index = (z · ny + y) · nx + x. */
  voxels: Float32Array
  /** [nz, ny, nx] */
  shape: Triple
  /** mm along [z, y, x] */
  spacing: Triple
  /** Voxel (z, y, x, 1) to patient mm (x, y, z, 1) in LPS. */
  affine: Matrix4
}

/** Something found in the bytes that a reader of the result should know, and what was done about it. */
export interface Note {
  code: string
  message: string
}

/** What was done to the bytes on the way to a volume. Holds no identifier and no header text of the patient. */
export interface VolumeReceipt {
  format: "nifti" | "dicom"
  /** How many files the volume came from. */
  files: number
  /** Directions of the stored axes, fastest first, as letters towards which they run: "LPS", "RAS", … */
  orientation: string
  shape: Triple
  spacing: Triple
  affine: Matrix4
  notes: Note[]
}

export interface ReadVolume {
  volume: Volume
  receipt: VolumeReceipt
}

/** Stated limits on what one series may be; a bigger one is refused before it is allocated. */
export const limits = {
  /** 2^29 voxels: 2 GiB as float32, for instance 2048 slices of 512 × 512. */
  voxels: 2 ** 29,
  /** Bytes that one gzip stream, zip entry or deflated object may expand to: 2^29 voxels of 8 bytes, and a header. */
  expandedBytes: 2 ** 32 + 2 ** 20,
  /** Files in one zip. */
  zipEntries: 100_000,
} as const
