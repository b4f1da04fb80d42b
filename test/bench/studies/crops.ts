import type { Triple } from "#shared/volume/affine.ts"
import type { Volume } from "#shared/volume/volume.ts"

/** mm: a little more than the smallest crops that encoders of this kind are trained on. */
const edge = 60
/** Above it is body; OpenKBP is masked to the body. HU. */
const bodyHu = -300
const leastBody = 0.6
/** Of a crop that shows the target, and of one that does not. */
const [shows, hides] = [0.3, 0.01]
const tries = 2000

export interface Pair {
  target: Volume
  other: Volume
}

/**
 * Two cubes of one scan at heights where the target is: one that shows it, and one as full of body that does not.
 * Undefined where there is no such pair. `random` gives numbers from 0 to 1.
 */
export function pairOf(
  ct: Volume,
  isTarget: (voxel: number) => boolean,
  random: () => number,
): Pair | undefined {
  const rows = rowsOf(ct, isTarget)
  if (rows.length === 0) return undefined
  const found: Partial<Pair> = {}
  for (let n = 0; n < tries && !(found.target && found.other); n++) {
    const at = (count: number) => Math.floor(random() * count)
    const box = boxAround(ct, [rows[at(rows.length)], at(ct.shape[1]), at(ct.shape[2])])
    if (!box) continue
    const inside = indices(ct, box)
    const share = (is: (i: number) => boolean) => inside.filter(is).length / inside.length
    if (share((i) => ct.voxels[i] >= bodyHu) < leastBody) continue
    const target = share(isTarget)
    if (target >= shows) found.target ??= cut(ct, box, inside)
    else if (target <= hides) found.other ??= cut(ct, box, inside)
  }
  const { target, other } = found
  return target && other ? { target, other } : undefined
}

interface Box {
  from: Triple
  size: Triple
}

function boxAround({ shape, spacing }: Volume, centre: Triple): Box | undefined {
  const along = (of: (axis: 0 | 1 | 2) => number): Triple => [of(0), of(1), of(2)]
  const size = along((a) => Math.min(shape[a], Math.round(edge / spacing[a])))
  const from = along((a) => Math.round(centre[a] - size[a] / 2))
  return from.every((f, a) => f >= 0 && f + size[a] <= shape[a]) ? { from, size } : undefined
}

function indices({ shape }: Volume, { from, size }: Box): Uint32Array {
  const [nz, ny, nx] = size
  const found = new Uint32Array(nz * ny * nx)
  let i = 0
  for (let z = from[0]; z < from[0] + nz; z++)
    for (let y = from[1]; y < from[1] + ny; y++)
      for (let x = from[2]; x < from[2] + nx; x++) found[i++] = (z * shape[1] + y) * shape[2] + x
  return found
}

/** The crop as a scan of its own; where it lay in the body is not told. */
function cut(ct: Volume, { size }: Box, inside: Uint32Array): Volume {
  return { ...ct, voxels: Float32Array.from(inside, (i) => ct.voxels[i]), shape: size }
}

/** The heights at which the target is seen. */
function rowsOf({ shape: [nz, ny, nx] }: Volume, isTarget: (voxel: number) => boolean): number[] {
  const rows: number[] = []
  for (let z = 0; z < nz; z++) {
    const first = z * ny * nx
    for (let i = first; i < first + ny * nx; i++)
      if (isTarget(i)) {
        rows.push(z)
        break
      }
  }
  return rows
}
