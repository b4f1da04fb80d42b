import type { Triple } from "#shared/volume/affine.ts"

/** A grid to paint a body on, in millimetres of the body: x towards the left, y the back, z the head. */
export interface Canvas {
  voxels: Float32Array
  /** [nz, ny, nx] */
  shape: Triple
  /** mm from voxel to voxel along [z, y, x] */
  step: Triple
  /** mm [z, y, x] of voxel 0 */
  origin: Triple
}

export type Point = readonly [x: number, y: number, z: number]

/** Points written as "x y z, x y z, …". */
export function path(text: string): Point[] {
  return text.split(",").map((point) => {
    const [x, y, z] = point.trim().split(" ").map(Number)
    return [x, y, z]
  })
}

/** HU at a place, given what is there already. */
export type Paint = (old: number, x: number, y: number, z: number) => number

/** Calls `paint` for every voxel within the box from `low` to `high` (x, y, z). */
export function paintBox(
  { voxels, shape, step, origin }: Canvas,
  low: Point,
  high: Point,
  paint: Paint,
): void {
  const range = (axis: 0 | 1 | 2) => {
    const from = Math.ceil((low[2 - axis] - origin[axis]) / step[axis])
    const to = Math.floor((high[2 - axis] - origin[axis]) / step[axis])
    return [Math.max(0, from), Math.min(shape[axis] - 1, to)]
  }
  const [z0, z1] = range(0)
  const [y0, y1] = range(1)
  const [x0, x1] = range(2)
  for (let k = z0; k <= z1; k++) {
    for (let j = y0; j <= y1; j++) {
      const row = (k * shape[1] + j) * shape[2]
      const y = origin[1] + j * step[1]
      const z = origin[0] + k * step[0]
      for (let i = x0; i <= x1; i++) voxels[row + i] = paint(voxels[row + i], origin[2] + i * step[2], y, z)
    }
  }
}

export interface Ellipsoid {
  at: Point
  radii: Point
  /** Turn about the z axis, in radians. */
  turn?: number
}

/** Paints inside an ellipsoid; `paint` also gets how deep: 0 at the surface, 1 at the centre. */
export function ellipsoid(
  canvas: Canvas,
  { at, radii, turn = 0 }: Ellipsoid,
  paint: (old: number, depth: number, x: number, y: number, z: number) => number,
): void {
  const cos = Math.cos(turn)
  const sin = Math.sin(turn)
  const flat =
    turn === 0 ? [radii[0], radii[1]] : [Math.max(radii[0], radii[1]), Math.max(radii[0], radii[1])]
  const reach: Point = [flat[0], flat[1], radii[2]]
  const low: Point = [at[0] - reach[0], at[1] - reach[1], at[2] - reach[2]]
  const high: Point = [at[0] + reach[0], at[1] + reach[1], at[2] + reach[2]]
  paintBox(canvas, low, high, (old, x, y, z) => {
    const dx = x - at[0]
    const dy = y - at[1]
    const u = (dx * cos + dy * sin) / radii[0]
    const v = (dy * cos - dx * sin) / radii[1]
    const w = (z - at[2]) / radii[2]
    const f = u * u + v * v + w * w
    return f < 1 ? paint(old, 1 - f, x, y, z) : old
  })
}

/** Paints a round tube along points; its radius runs from the first to the last. `paint` gets the depth as above. */
export function tube(
  canvas: Canvas,
  points: readonly Point[],
  radii: readonly [number, number],
  paint: (old: number, depth: number, x: number, y: number, z: number) => number,
): void {
  const last = points.length - 1
  for (let p = 0; p < last; p++) {
    const [a, b] = [points[p], points[p + 1]]
    const [ra, rb] = [p, p + 1].map((i) => radii[0] + ((radii[1] - radii[0]) * i) / last)
    const d = [b[0] - a[0], b[1] - a[1], b[2] - a[2]]
    const length2 = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    const r = Math.max(ra, rb)
    const low: Point = [Math.min(a[0], b[0]) - r, Math.min(a[1], b[1]) - r, Math.min(a[2], b[2]) - r]
    const high: Point = [Math.max(a[0], b[0]) + r, Math.max(a[1], b[1]) + r, Math.max(a[2], b[2]) + r]
    paintBox(canvas, low, high, (old, x, y, z) => {
      const [px, py, pz] = [x - a[0], y - a[1], z - a[2]]
      const t = Math.max(0, Math.min(1, (px * d[0] + py * d[1] + pz * d[2]) / length2))
      const [qx, qy, qz] = [px - t * d[0], py - t * d[1], pz - t * d[2]]
      const radius = ra + (rb - ra) * t
      const f = (qx * qx + qy * qy + qz * qz) / (radius * radius)
      return f < 1 ? paint(old, 1 - f, x, y, z) : old
    })
  }
}
