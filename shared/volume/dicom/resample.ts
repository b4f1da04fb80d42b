import type { Triple } from "../affine.ts"
import { huClip } from "../hu.ts"
import { cross, dot, minus, times, unit } from "./vectors.ts"

const air = huClip[0]

/** A fraction of a slice or pixel that is rounding, not distance. */
const epsilon = 1e-4

/** Linear interpolation of planes at `along` (mm, ascending) onto `count` planes `step` mm apart. */
export function ontoEvenGrid(
  planes: Float32Array,
  along: number[],
  { step, count }: { step: number; count: number },
): Float32Array {
  const size = planes.length / along.length
  const out = new Float32Array(size * count)
  let i = 0
  for (let k = 0; k < count; k++) {
    const at = k * step
    while (i < along.length - 2 && along[i + 1] <= at) i++
    const part = Math.min(1, Math.max(0, (at - along[i]) / (along[i + 1] - along[i])))
    const low = planes.subarray(i * size, (i + 1) * size)
    const high = planes.subarray((i + 1) * size, (i + 2) * size)
    const to = out.subarray(k * size, (k + 1) * size)
    if (part < epsilon) to.set(low)
    else if (part > 1 - epsilon) to.set(high)
    else for (let p = 0; p < size; p++) to[p] = low[p] + part * (high[p] - low[p])
  }
  return out
}

/** Axes of a grid: unit vectors, LPS, slowest first (from slice to slice, down, across). */
export type Axes = readonly [number[], number[], number[]]

/** Degrees between the way the slices are stacked and their normal: the gantry's tilt. */
export function tiltDegrees([step, down, across]: Axes): number {
  return (Math.acos(Math.min(1, Math.abs(dot(step, cross(across, down))))) * 180) / Math.PI
}

/** The right-angled axes nearest to tilted ones that keep the way the table moved. */
export function uprightAxes([step, down, across]: Axes): Axes {
  const across1 = unit(minus(across, times(step, dot(across, step))))
  const down1 = minus(down, times(step, dot(down, step)))
  return [step, unit(minus(down1, times(across1, dot(down1, across1)))), across1]
}

/**
 * Resamples tilted slices linearly onto upright axes with the same origin, shape and spacing [z, y, x]. What lies
 * outside the tilted stack becomes air.
 */
export function ontoUprightGrid(
  voxels: Float32Array,
  shape: Triple,
  spacing: Triple,
  tilted: Axes,
  upright: Axes,
): Float32Array {
  // Tilted index = M · upright index. By Cramer's rule with the tilted axes as columns.
  const [s, d, a] = tilted
  const volume = dot(s, cross(d, a))
  const duals = [cross(d, a), cross(a, s), cross(s, d)].map((v) => v.map((x) => x / volume))
  const m = duals.map((dual, row) => upright.map((axis, j) => (dot(dual, axis) * spacing[j]) / spacing[row]))

  const [nz, ny, nx] = shape
  const out = new Float32Array(voxels.length)
  let to = 0
  for (let k = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++, to++) {
        const z = m[0][0] * k + m[0][1] * j + m[0][2] * i
        const y = m[1][0] * k + m[1][1] * j + m[1][2] * i
        const x = m[2][0] * k + m[2][1] * j + m[2][2] * i
        out[to] = trilinear(voxels, nz, ny, nx, z, y, x)
      }
    }
  }
  return out
}

function trilinear(
  v: Float32Array,
  nz: number,
  ny: number,
  nx: number,
  z: number,
  y: number,
  x: number,
): number {
  if (z < -epsilon || y < -epsilon || x < -epsilon) return air
  if (z > nz - 1 + epsilon || y > ny - 1 + epsilon || x > nx - 1 + epsilon) return air
  // The lower of the two neighbours; the last one has none above it.
  const z0 = Math.min(nz - 2, Math.max(0, Math.floor(z)))
  const y0 = Math.min(ny - 2, Math.max(0, Math.floor(y)))
  const x0 = Math.min(nx - 2, Math.max(0, Math.floor(x)))
  const [pz, py, px] = [z - z0, y - y0, x - x0]
  const at = (z0 * ny + y0) * nx + x0
  const row = (from: number) => v[from] + px * (v[from + 1] - v[from])
  const plane = (from: number) => row(from) + py * (row(from + nx) - row(from))
  return plane(at) + pz * (plane(at + ny * nx) - plane(at))
}
