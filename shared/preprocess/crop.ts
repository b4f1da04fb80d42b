import { Fault } from "#shared/errors.ts"
import type { Triple } from "#shared/volume/affine.ts"
import type { Volume } from "#shared/volume/volume.ts"
import type { Recipe } from "./recipe.ts"

/** A part of a volume's grid; offset and shape along [z, y, x]. */
export interface Window {
  offset: Triple
  shape: Triple
}

/**
 * The bounding box of the body: voxels whose kernel³ box holds more than half voxels above the threshold, grown by
 * kernel / 2. As in VoxelFM the box counts nothing outside the volume and is still divided by kernel³, so beside an
 * edge the body must fill what is left of the box.
 * @throws Fault `empty-body`, `too-small`, unless the recipe keeps such volumes whole
 */
export function bodyWindow({ voxels, shape }: Volume, crop: NonNullable<Recipe["crop"]>): Window {
  const { threshold, kernel } = crop
  const [nz, ny, nx] = shape
  const thin = shape.findIndex((n) => n <= kernel / 2)
  const whole = { offset: [0, 0, 0] as const, shape }
  if (thin >= 0) {
    if (crop.otherwise === "whole") return whole
    throw new Fault(
      "invalid",
      "too-small",
      `the volume is ${shape[thin]} voxels long along ${"zyx"[thin]}, and the encoder's body crop needs more than half of its ${kernel}-voxel box: use a series with more slices`,
    )
  }
  // A box around voxel i runs from i − before to i + after, as padding="same" lays it.
  const before = (kernel - 1) >> 1
  const after = kernel >> 1
  const half = kernel ** 3 / 2
  const low = [nz, ny, nx]
  const high = [-1, -1, -1]

  // Sums over the box in x and y of the last `kernel` planes, and their sum: no copy of the whole volume.
  const planes = Array.from({ length: kernel }, () => new Uint16Array(ny * nx))
  const total = new Int32Array(ny * nx)
  const rows = new Uint8Array(ny * nx)
  const column = new Int32Array(nx)
  for (let entering = 0; entering < nz + after; entering++) {
    const plane = planes[entering % kernel]
    if (entering < nz) {
      sumRows(voxels.subarray(entering * ny * nx, (entering + 1) * ny * nx), rows, nx, threshold, kernel)
    } else rows.fill(0)
    column.fill(0)
    for (let y = 0; y < Math.min(after, ny); y++) for (let x = 0; x < nx; x++) column[x] += rows[y * nx + x]
    for (let y = 0, i = 0; y < ny; y++) {
      const enters = (y + after) * nx
      const leaves = (y - before - 1) * nx
      if (y + after < ny) for (let x = 0; x < nx; x++) column[x] += rows[enters + x]
      if (leaves >= 0) for (let x = 0; x < nx; x++) column[x] -= rows[leaves + x]
      for (let x = 0; x < nx; x++, i++) {
        // The slot still holds the plane that leaves the box.
        total[i] += column[x] - plane[i]
        plane[i] = column[x]
      }
    }
    if (entering >= after) include(total, entering - after, half, nx, low, high)
  }
  if (high[0] < 0) {
    if (crop.otherwise === "whole") return whole
    throw new Fault(
      "invalid",
      "empty-body",
      `nothing as large as half of ${kernel}³ voxels exceeds ${threshold} HU, so there is no body to encode: check the rescale slope and intercept, or leave this series out`,
    )
  }
  const reach = kernel >> 1
  const offset = low.map((i) => Math.max(i - reach, 0)) as unknown as Triple
  const end = high.map((i, axis) => Math.min(i + reach, shape[axis] - 1) + 1)
  return { offset, shape: [end[0] - offset[0], end[1] - offset[1], end[2] - offset[2]] }
}

/** Writes for each voxel how many of the `kernel` around it along x are above the threshold. */
function sumRows(plane: Float32Array, sums: Uint8Array, nx: number, threshold: number, kernel: number): void {
  const before = (kernel - 1) >> 1
  const after = kernel >> 1
  for (let start = 0; start < plane.length; start += nx) {
    let sum = 0
    for (let x = 0; x < Math.min(after, nx); x++) if (plane[start + x] > threshold) sum++
    for (let x = 0; x < nx; x++) {
      if (x + after < nx && plane[start + x + after] > threshold) sum++
      if (x > before && plane[start + x - before - 1] > threshold) sum--
      sums[start + x] = sum
    }
  }
}

/** Widens the bounds [low, high] by the entries of plane `z` that exceed `half`. */
function include(total: Int32Array, z: number, half: number, nx: number, low: number[], high: number[]) {
  for (let y = 0, start = 0; start < total.length; y++, start += nx) {
    let first = 0
    while (first < nx && total[start + first] <= half) first++
    if (first === nx) continue
    let last = nx - 1
    while (total[start + last] <= half) last--
    if (z < low[0]) low[0] = z
    if (z > high[0]) high[0] = z
    if (y < low[1]) low[1] = y
    if (y > high[1]) high[1] = y
    if (first < low[2]) low[2] = first
    if (last > high[2]) high[2] = last
  }
}
