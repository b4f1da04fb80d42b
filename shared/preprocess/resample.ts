import type { Triple } from "#shared/volume/affine.ts"
import type { Volume } from "#shared/volume/volume.ts"
import type { Taps } from "./taps.ts"

/**
 * Applies one linear map per axis [z, y, x] to the part of a volume that starts at `offset`, its voxels clipped to
 * `clip` HU first. Beside the result it holds a few planes only, and the volume is left as it was.
 * @returns HU, C order, shape = the maps' `to`
 */
export function resample(
  { voxels, shape }: Volume,
  offset: Triple,
  [z, y, x]: readonly [Taps, Taps, Taps],
  clip: readonly [number, number],
): Float32Array {
  const size = y.to * x.to
  const out = new Float32Array(z.to * size)
  const row = new Float32Array(x.from)
  const narrow = new Float32Array(y.from * x.to)
  // The planes that an output plane needs follow each other, so their numbers modulo the width never collide.
  const planes = Array.from({ length: z.width }, () => ({ at: -1, hu: new Float32Array(size) }))

  for (let i = 0; i < z.to; i++) {
    for (let t = 0; t < z.width; t++) {
      const weight = z.weights[i * z.width + t]
      if (weight === 0) continue
      const at = z.first[i] + t
      const plane = planes[at % z.width]
      if (plane.at !== at) {
        plane.at = at
        fill(plane.hu, at)
      }
      add(out, i * size, plane.hu, 0, size, weight)
    }
  }
  return out

  /** Plane `at` of the part, resampled along x, then along y. */
  function fill(plane: Float32Array, at: number): void {
    const last = y.first[y.to - 1] + y.width
    for (let j = y.first[0]; j < last; j++) {
      const start = ((offset[0] + at) * shape[1] + offset[1] + j) * shape[2] + offset[2]
      clipRow(voxels, start, row, clip)
      along(row, x, narrow, j * x.to)
    }
    plane.fill(0)
    for (let j = 0; j < y.to; j++) {
      for (let t = 0; t < y.width; t++) {
        const weight = y.weights[j * y.width + t]
        if (weight !== 0) add(plane, j * x.to, narrow, (y.first[j] + t) * x.to, x.to, weight)
      }
    }
  }
}

function clipRow(
  voxels: Float32Array,
  start: number,
  row: Float32Array,
  [low, high]: readonly [number, number],
) {
  for (let i = 0; i < row.length; i++) {
    const v = voxels[start + i]
    row[i] = v < low ? low : v > high ? high : v
  }
}

function along(row: Float32Array, { first, weights, width, to }: Taps, out: Float32Array, start: number) {
  for (let i = 0, w = 0; i < to; i++) {
    let sum = 0
    for (let at = first[i], end = at + width; at < end; at++, w++) sum += weights[w] * row[at]
    out[start + i] = sum
  }
}

function add(out: Float32Array, to: number, source: Float32Array, from: number, n: number, weight: number) {
  for (let i = 0; i < n; i++) out[to + i] += weight * source[from + i]
}
