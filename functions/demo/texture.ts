import type { Canvas } from "./canvas.ts"
import type { Person } from "./person.ts"
import { random } from "./random.ts"

/** mm between the knots of the tissue's slow unevenness, and how many knots there are along an axis (a power of two). */
const cell = 22
const side = 32
const wrap = side - 1

/**
 * Makes tissue uneven as tissue is: by a smooth field, ±35 HU in the lungs and ±9 elsewhere, and denser lungs
 * towards the back, where the blood of a lying person gathers. Belongs to the body, not to the scan.
 */
export function texture({ voxels, shape, step, origin }: Canvas, person: Person): void {
  const field = smoothField(person.shapes)
  const [nz, ny, nx] = shape
  for (let k = 0, i = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      const y = origin[1] + j * step[1]
      const knots = field(origin[0] + k * step[0], y)
      for (let n = 0; n < nx; n++, i++) {
        const hu = voxels[i]
        // Outside the body and bone's hard shell.
        if (hu < -940 || hu > 500) continue
        const p = knotAt(origin[2] + n * step[2])
        const low = p | 0
        const uneven = knots[low & wrap] + (knots[(low + 1) & wrap] - knots[low & wrap]) * (p - low)
        voxels[i] += hu < -500 ? 35 * uneven + 0.35 * y : 9 * uneven
      }
    }
  }
}

/** A place in mm as a position among the knots, never negative. */
const knotAt = (mm: number) => mm / cell + side * 8

/** For every (z, y) in mm the knots along x: random values within ±1, bilinear between the knots of z and y. */
function smoothField(seed: number): (z: number, y: number) => Float32Array {
  const { next } = random(seed)
  const values = Float32Array.from({ length: side ** 3 }, () => 2 * next() - 1)
  const row = new Float32Array(side)
  return (z, y) => {
    const [pz, py] = [knotAt(z), knotAt(y)]
    const [kz, ky] = [pz | 0, py | 0]
    const [tz, ty] = [pz - kz, py - ky]
    const start = (dz: number, dy: number) => (((kz + dz) & wrap) * side + ((ky + dy) & wrap)) * side
    const [a, b, c, d] = [start(0, 0), start(0, 1), start(1, 0), start(1, 1)]
    for (let x = 0; x < side; x++) {
      const near = values[a + x] * (1 - ty) + values[b + x] * ty
      const far = values[c + x] * (1 - ty) + values[d + x] * ty
      row[x] = near * (1 - tz) + far * tz
    }
    return row
  }
}
