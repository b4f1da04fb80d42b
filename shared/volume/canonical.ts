import { columnNorms, type Matrix4, multiply, type Triple } from "./affine.ts"
import type { Note, Volume } from "./volume.ts"

/** Voxels as a file holds them: `shape` slowest axis first, `affine` from that index order to LPS mm. */
export interface StoredVoxels {
  voxels: Float32Array
  shape: Triple
  affine: Matrix4
}

const letters = [
  ["I", "S"],
  ["A", "P"],
  ["R", "L"],
] as const

const permutations: Triple[] = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
]

/** Where stored voxels go on the canonical axes. */
export interface Layout {
  /** Of the canonical volume. */
  shape: Triple
  spacing: Triple
  affine: Matrix4
  /** Directions of the stored axes, fastest first, as letters towards which they run: "LPS", "RAS", … */
  orientation: string
  /** The greatest angle between a stored axis and the patient axis it is taken for. */
  obliqueDegrees: number
  /** Index in the canonical voxels of the first stored one … */
  start: number
  /** … and how far a step along each stored axis, slowest first, moves it. */
  steps: Triple
}

/**
 * Finds the swaps and flips of whole axes that bring a stored grid onto the canonical axes. Nothing is resampled:
 * an oblique scan stays oblique, on the axes nearest to the patient's.
 * @param shape stored, slowest axis first
 * @param affine from that index order to LPS mm, no column zero
 */
export function canonicalLayout(shape: Triple, affine: Matrix4): Layout {
  const norms = columnNorms(affine)
  // cos[axis][target]: how far stored axis runs along canonical z, y, x (LPS rows 2, 1, 0).
  const cos = [0, 1, 2].map((j) => [2, 1, 0].map((row) => affine[row][j] / norms[j]))
  const alignment = (p: Triple) => Math.abs(cos[p[0]][0]) + Math.abs(cos[p[1]][1]) + Math.abs(cos[p[2]][2])
  // order[target] = the stored axis that becomes canonical z, y, x. Float32 noise does not decide a tie at 45°.
  const order = permutations.reduce((best, p) => (alignment(p) > alignment(best) + 1e-5 ? p : best))
  const flip = order.map((axis, target) => cos[axis][target] < 0)

  const newShape: Triple = [shape[order[0]], shape[order[1]], shape[order[2]]]
  const strides = [newShape[1] * newShape[2], newShape[2], 1]
  const steps: [number, number, number] = [0, 0, 0]
  let start = 0
  const storedFromNew = [0, 1, 2, 3].map(() => [0, 0, 0, 0])
  storedFromNew[3][3] = 1
  order.forEach((axis, target) => {
    steps[axis] = flip[target] ? -strides[target] : strides[target]
    if (flip[target]) start += (shape[axis] - 1) * strides[target]
    storedFromNew[axis][target] = flip[target] ? -1 : 1
    storedFromNew[axis][3] = flip[target] ? shape[axis] - 1 : 0
  })
  const newAffine = multiply(affine, storedFromNew)

  const towards = (axis: number) => letters[order.indexOf(axis)][flip[order.indexOf(axis)] ? 0 : 1]
  const least = Math.min(1, ...order.map((axis, target) => Math.abs(cos[axis][target])))
  return {
    shape: newShape,
    spacing: columnNorms(newAffine),
    affine: newAffine,
    orientation: [2, 1, 0].map(towards).join(""),
    obliqueDegrees: (Math.acos(least) * 180) / Math.PI,
    start,
    steps,
  }
}

/** Brings stored voxels onto the canonical axes (`canonicalLayout`). The voxel array is reused when nothing moves. */
export function canonical(stored: StoredVoxels): { volume: Volume; layout: Layout } {
  const { voxels: values, shape } = stored
  const layout = canonicalLayout(shape, stored.affine)
  const { spacing, affine } = layout
  let voxels = values
  if (layout.steps.join() !== [shape[1] * shape[2], shape[2], 1].join()) {
    voxels = new Float32Array(values.length)
    place({ values, first: 0, slope: 1, intercept: 0, shape, layout, into: voxels })
  }
  return { volume: { voxels, shape: layout.shape, spacing, affine }, layout }
}

/** Below 0.1° it is rounding in the header. */
export function obliqueNotes({ obliqueDegrees }: Layout): Note[] {
  if (obliqueDegrees < 0.1) return []
  const message = `the axes are up to ${obliqueDegrees.toFixed(1)}° off the patient's: kept so, each under the nearest one`
  return [{ code: "oblique", message }]
}

/** A run of stored values, and where they go. */
interface Run {
  values: ArrayLike<number>
  /** Stored index of the first of them. */
  first: number
  slope: number
  intercept: number
  /** Stored, slowest axis first. */
  shape: Triple
  layout: Layout
  into: Float32Array
}

/** Puts values · slope + intercept (in double) where the layout says. */
export function place({ values, first, slope, intercept, shape, layout, into }: Run): void {
  const [, ny, nx] = shape
  const { start, steps } = layout
  for (let i = 0; i < values.length; ) {
    const row = Math.floor((first + i) / nx)
    const x = (first + i) % nx
    let to = start + Math.floor(row / ny) * steps[0] + (row % ny) * steps[1] + x * steps[2]
    const end = Math.min(values.length, i + nx - x)
    for (; i < end; i++, to += steps[2]) into[to] = values[i] * slope + intercept
  }
}
