import { Fault } from "#shared/errors.ts"
import { apply, columnNorms, type Matrix4, type Triple } from "./affine.ts"
import type { NiftiHeader } from "./nifti-header.ts"
import { limits, type Note } from "./volume.ts"

/**
 * The stored grid, slowest axis first.
 * @throws Fault `bad-header`, `not-3d`, `zero-axes`, `several-volumes`, `too-few-slices`, `too-many-voxels`
 */
export function storedShape({ dim }: NiftiHeader): Triple {
  const [axes, nx, ny, nz] = dim
  if (axes < 1 || axes > 7)
    throw new Fault("invalid", "bad-header", `the header promises ${axes} axes: NIfTI has 1 to 7`)
  if (axes < 3)
    throw new Fault("invalid", "not-3d", `the image has ${axes} axes: give a CT volume, which has three`)
  const grid = `${nx} × ${ny} × ${nz}`
  if (Math.min(nx, ny, nz) < 1)
    throw new Fault("invalid", "zero-axes", `the grid is ${grid}: an axis holds no voxels, export it again`)
  // Beyond the third, an axis of 0 means the same as 1: not used.
  const volumes = dim.slice(4, axes + 1).reduce((product, n) => product * Math.max(n, 1), 1)
  if (volumes > 1) {
    const message = `the file holds ${volumes} volumes of ${grid}: split it and give one volume per file`
    throw new Fault("invalid", "several-volumes", message)
  }
  if (Math.min(nx, ny, nz) < 3) {
    const message = `the grid is ${grid}: a volume has 3 slices or more along every axis; a slice or a scout is none`
    throw new Fault("invalid", "too-few-slices", message)
  }
  if (nx * ny * nz > limits.voxels) {
    const message = `the header promises ${grid} voxels, the limit is ${limits.voxels}: crop or resample it first`
    throw new Fault("too_large", "too-many-voxels", message)
  }
  return [nz, ny, nx]
}

/**
 * Stored index [slowest, …, fastest] to LPS mm, and what was decided on the way. The sform is taken where its code
 * is set, else the qform; without either, left and right cannot be told apart, so pixdim alone is refused.
 * @throws Fault `bad-units`, `no-spacing`, `no-orientation`, `bad-affine`, `implausible-spacing`, `sheared-axes`
 */
export function storedAffine(header: NiftiHeader, shape: Triple): { affine: Matrix4; notes: Note[] } {
  const notes: Note[] = []
  const scale = millimetres(header, notes)
  const ras = header.sformCode > 0 ? header.srow : qform(header)
  const affine = lps(ras, scale)
  checkGrid(affine)
  if (header.sformCode > 0 && hasQform(header)) {
    const apart = greatestDistance(affine, lps(qform(header), scale), shape)
    if (apart > 0.5) {
      const message = `qform and sform put the volume in different places, up to ${apart.toFixed(1)} mm apart: the sform was taken`
      notes.push({ code: "qform-differs", message })
    }
  }
  return { affine, notes }
}

/** xyzt_units, its lowest three bits (nifti1.h NIFTI_UNITS_*), as mm per unit. */
function millimetres({ xyztUnits }: NiftiHeader, notes: Note[]): number {
  const unit = xyztUnits & 7
  if (unit === 0)
    notes.push({ code: "units-assumed", message: "the header names no unit of length: taken as mm" })
  const scale = [1, 1000, 1, 0.001][unit]
  if (scale === undefined)
    throw new Fault("invalid", "bad-units", `xyzt_units names no unit of length (${unit}): set it to mm (2)`)
  return scale
}

function hasQform({ qformCode, pixdim, quaternion }: NiftiHeader): boolean {
  return (
    qformCode > 0 && pixdim.slice(1, 4).every((mm) => mm > 0) && squareOf(quaternion) < 1 + quaternionSlack
  )
}

/** By so much float32 may leave b² + c² + d² above 1 in a half turn. */
const quaternionSlack = 1e-5
const squareOf = ([b, c, d]: Triple) => b * b + c * c + d * d

/** nifti1.h, method 2: rotation from the quaternion, then pixdim; pixdim[0] = −1 turns the third axis round. */
function qform({ qformCode, quaternion, qoffset, pixdim }: NiftiHeader): number[][] {
  const [dx, dy, dz] = pixdim.slice(1, 4)
  if (!(dx > 0 && dy > 0 && dz > 0)) {
    const message = "pixdim gives no positive spacing and there is no sform: export it again with spacing"
    throw new Fault("invalid", "no-spacing", message)
  }
  if (qformCode <= 0) {
    const message =
      "neither qform nor sform is set, so left and right are unknown: export it with its orientation"
    throw new Fault("invalid", "no-orientation", message)
  }
  const square = squareOf(quaternion)
  if (!(square < 1 + quaternionSlack))
    throw new Fault("invalid", "bad-affine", "the qform's quaternion is no rotation: export it again")
  const [b, c, d] = quaternion.map((q) => q / Math.sqrt(Math.max(1, square)))
  const a = Math.sqrt(Math.max(0, 1 - square))
  const dzq = pixdim[0] < 0 ? -dz : dz
  return [
    [(a * a + b * b - c * c - d * d) * dx, 2 * (b * c - a * d) * dy, 2 * (b * d + a * c) * dzq, qoffset[0]],
    [2 * (b * c + a * d) * dx, (a * a + c * c - b * b - d * d) * dy, 2 * (c * d - a * b) * dzq, qoffset[1]],
    [2 * (b * d - a * c) * dx, 2 * (c * d + a * b) * dy, (a * a + d * d - c * c - b * b) * dzq, qoffset[2]],
  ]
}

/** NIfTI's (x, y, z) index and RAS axes, to our [slowest, …, fastest] index and LPS mm. */
function lps(ras: number[][], scale: number): Matrix4 {
  const rows = ras.map(([x, y, z, t], row) => [z, y, x, t].map((v) => (row < 2 ? -v : v) * scale))
  return [...rows, [0, 0, 0, 1]]
}

function checkGrid(affine: Matrix4): void {
  if (!affine.flat().every(Number.isFinite))
    throw new Fault("invalid", "bad-affine", "the affine holds NaN or infinity: export it again")
  const norms = columnNorms(affine)
  if (Math.min(...norms) === 0)
    throw new Fault("invalid", "no-spacing", "the affine has a step of 0 mm: export it again with spacing")
  if (Math.min(...norms) < 0.01 || Math.max(...norms) > 100) {
    const spacing = norms.map((mm) => Number(mm.toPrecision(3))).join(" × ")
    const message = `a spacing of ${spacing} mm is no patient's CT: check the unit of length (xyzt_units)`
    throw new Fault("invalid", "implausible-spacing", message)
  }
  const cos = (i: number, j: number) =>
    affine.slice(0, 3).reduce((sum, row) => sum + row[i] * row[j], 0) / (norms[i] * norms[j])
  const off =
    (Math.asin(Math.min(1, Math.max(...[cos(0, 1), cos(0, 2), cos(1, 2)].map(Math.abs)))) * 180) / Math.PI
  // Rounded matrices stay below 0.1°, a tilted gantry is 1° or more.
  if (off > 0.5) {
    const message = `the axes are ${off.toFixed(1)}° off the right angle (gantry tilt): resample onto an upright grid first`
    throw new Fault("invalid", "sheared-axes", message)
  }
}

/** mm between the places that two affines give the same corner, at most. */
function greatestDistance(a: Matrix4, b: Matrix4, shape: Triple): number {
  const corners = Array.from(
    { length: 8 },
    (_, i): Triple => [i & 4 ? shape[0] - 1 : 0, i & 2 ? shape[1] - 1 : 0, i & 1 ? shape[2] - 1 : 0],
  )
  return Math.max(...corners.map((corner) => distance(apply(a, corner), apply(b, corner))))
}

function distance(p: Triple, q: Triple): number {
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2])
}
