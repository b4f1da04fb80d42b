import { columnNorms, indexMap, type Matrix4, multiply, type Triple } from "./affine.ts"
import type { Volume } from "./volume.ts"

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

/**
 * Brings stored voxels onto the canonical axes by swapping and flipping whole axes, never resampling: an oblique
 * scan stays oblique, on the axes nearest to the patient's. The voxel array is reused when nothing moves.
 * @returns the volume and the stored orientation, fastest axis first ("LPS", "RAS", …)
 */
export function canonical(stored: StoredVoxels): { volume: Volume; orientation: string } {
  const { shape, affine } = stored
  const norms = columnNorms(affine)
  // cos[axis][target]: how far stored axis runs along canonical z, y, x (LPS rows 2, 1, 0).
  const cos = [0, 1, 2].map((j) => [2, 1, 0].map((row) => affine[row][j] / norms[j]))
  const alignment = (p: Triple) => Math.abs(cos[p[0]][0]) + Math.abs(cos[p[1]][1]) + Math.abs(cos[p[2]][2])
  // order[target] = the stored axis that becomes canonical z, y, x.
  const order = permutations.reduce((best, p) => (alignment(p) > alignment(best) + 1e-9 ? p : best))
  const flip = order.map((axis, target) => cos[axis][target] < 0)

  const newShape: Triple = [shape[order[0]], shape[order[1]], shape[order[2]]]
  const storedFromNew = [0, 1, 2, 3].map(() => [0, 0, 0, 0])
  storedFromNew[3][3] = 1
  order.forEach((axis, target) => {
    storedFromNew[axis][target] = flip[target] ? -1 : 1
    storedFromNew[axis][3] = flip[target] ? shape[axis] - 1 : 0
  })
  const newAffine = multiply(affine, storedFromNew)

  const orientation = [2, 1, 0]
    .map((axis) => letters[order.indexOf(axis)][flip[order.indexOf(axis)] ? 0 : 1])
    .join("")
  return {
    volume: {
      voxels: reorder(stored.voxels, shape, order, flip, newShape),
      shape: newShape,
      spacing: columnNorms(newAffine),
      affine: newAffine,
    },
    orientation,
  }
}

function reorder(
  voxels: Float32Array,
  shape: Triple,
  order: Triple,
  flip: boolean[],
  to: Triple,
): Float32Array {
  if (order.every((axis, target) => axis === target) && !flip.includes(true)) return voxels
  const strides = [shape[1] * shape[2], shape[2], 1]
  const [sz, sy, sx] = order.map((axis, target) => (flip[target] ? -strides[axis] : strides[axis]))
  const start = order.reduce<number>(
    (sum, axis, t) => sum + (flip[t] ? (shape[axis] - 1) * strides[axis] : 0),
    0,
  )
  const out = new Float32Array(voxels.length)
  let i = 0
  for (let z = 0; z < to[0]; z++) {
    for (let y = 0; y < to[1]; y++) {
      let from = start + z * sz + y * sy
      for (let x = 0; x < to[2]; x++, from += sx) out[i++] = voxels[from]
    }
  }
  return out
}

/** The affine of a grid whose voxel (0, 0, 0) lies `offset` voxels into another and whose steps are `scale` of its. */
export function movedAffine(affine: Matrix4, scale: Triple, offset: Triple): number[][] {
  return multiply(affine, indexMap(scale, offset))
}
