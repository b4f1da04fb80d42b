import type { Triple } from "#shared/volume/affine.ts"
import { type Canvas, paintBox } from "./canvas.ts"
import { outlines } from "./outline.ts"
import type { Person, Region } from "./person.ts"
import { noise, type Random } from "./random.ts"
import { air } from "./trunk.ts"

/** How a person was scanned, and one series of it reconstructed. */
export interface Acquisition {
  /** [nz, ny, nx] */
  shape: Triple
  /** mm [z, y, x] */
  spacing: Triple
  /** Scanner millimetres [z, y, x] of voxel 0, the middle of the body's diaphragm being about 0. */
  start: Triple
  /** A sharp kernel keeps edges and noise, a soft one smooths both. */
  kernel: "soft" | "sharp"
  /** Standard deviation of the noise in HU. */
  noise: number
  table: boolean
  seed: number
}

/** From where to where each region reaches, in mm of the body; 0 is the dome of the diaphragm. */
const extent: Record<Region, readonly [number, number]> = {
  chest: [-78, 222],
  abdomen: [-258, 30],
  trunk: [-252, 220],
}

/**
 * @param scanned chance for the scan itself: extent, position, field of view, table
 * @param reconstructed chance for one series of it: slices, kernel, noise
 */
export function acquisition(person: Person, scanned: Random, reconstructed: Random): Acquisition {
  const { between, pick, next } = scanned
  const n = pick([128, 136, 144, 152])
  const pixel = Math.round((between(410, 450) * Math.min(1.06, person.scale[0]) * 100) / n) / 100
  const [low, high] = extent[person.region].map((z) => z * person.scale[2] + between(-8, 8))
  const start: Triple = [
    low,
    -((n - 1) / 2) * pixel + between(-10, 14),
    -((n - 1) / 2) * pixel + between(-8, 8),
  ]
  const slice = reconstructed.pick(person.region === "trunk" ? [4, 4.5, 5] : [pixel, 3, 4, 5])
  const kernel = reconstructed.pick(["soft", "sharp"] as const)
  return {
    shape: [Math.round((high - low) / slice), n, n],
    spacing: [slice, pixel, pixel],
    start,
    kernel,
    noise: kernel === "soft" ? reconstructed.between(8, 13) : reconstructed.between(18, 28),
    table: next() < 0.75,
    seed: Math.floor(reconstructed.between(0, 2 ** 31)),
  }
}

/** An empty canvas for this scan, in millimetres of the body. */
export function emptyCanvas({ shape, spacing, start }: Acquisition, { scale }: Person): Canvas {
  const toBody = ([z, y, x]: Triple): Triple => [z / scale[2], y / scale[1], x / scale[0]]
  const voxels = new Float32Array(shape[0] * shape[1] * shape[2]).fill(air)
  return { voxels, shape, step: toBody(spacing), origin: toBody(start) }
}

/** Adds what comes from the scanner: the table, blur, noise, the round field of view, whole numbers. */
export function expose(canvas: Canvas, person: Person, scan: Acquisition): Float32Array {
  if (scan.table) table(canvas, person)
  const { voxels, shape } = canvas
  const side = scan.kernel === "soft" ? 0.25 : 0.12
  blurInPlane(voxels, shape, side)
  const grain = noise(voxels.length, scan.seed)
  if (scan.kernel === "soft") blurInPlane(grain, shape, 0.25)
  // Blurring by (1, 2, 1)/4 along two axes leaves 0.375 of the standard deviation.
  const sigma = scan.noise / (scan.kernel === "soft" ? 0.375 : 1)

  const [nz, ny, nx] = shape
  const radius2 = (Math.min(nx, ny) / 2) ** 2
  for (let z = 0, i = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, i++) {
        const outside = (x - (nx - 1) / 2) ** 2 + (y - (ny - 1) / 2) ** 2 > radius2
        // Air is darker and quieter than the body; the scanner writes nothing below −1024.
        const hu = voxels[i] + grain[i] * sigma * (voxels[i] < -950 ? 0.5 : 1)
        voxels[i] = outside ? -1024 : Math.max(-1024, Math.round(hu))
      }
    }
  }
  return voxels
}

/** A curved shell of carbon fibre around foam, under the back. */
function table(canvas: Canvas, person: Person): void {
  const { back } = outlines(person, -40).skin
  const [depth, thick] = [back + 7, 22]
  const { shape, step, origin } = canvas
  const end = origin[0] + shape[0] * step[0]
  paintBox(canvas, [-215, back - 40, origin[0]], [215, depth + thick + 2, end], (old, x, y) => {
    const top = depth - (x / 215) ** 2 * 34
    const bottom = depth + thick - (x / 215) ** 4 * 40
    if (old !== air || y < top || y > bottom) return old
    return y - top < 3 || bottom - y < 3 ? -250 : -930
  })
}

/** (side, 1 − 2 side, side) along y and x. */
function blurInPlane(voxels: Float32Array, [nz, ny, nx]: Triple, side: number): void {
  const middle = 1 - 2 * side
  const before = new Float32Array(nx)
  for (let z = 0; z < nz; z++) {
    const start = z * ny * nx
    for (let y = 0; y < ny; y++) {
      const row = start + y * nx
      let left = voxels[row]
      for (let x = 0; x < nx - 1; x++) {
        const here = voxels[row + x]
        voxels[row + x] = side * (left + voxels[row + x + 1]) + middle * here
        left = here
      }
    }
    before.set(voxels.subarray(start, start + nx))
    for (let y = 0; y < ny - 1; y++) {
      const row = start + y * nx
      for (let x = 0; x < nx; x++) {
        const here = voxels[row + x]
        voxels[row + x] = side * (before[x] + voxels[row + nx + x]) + middle * here
        before[x] = here
      }
    }
  }
}
