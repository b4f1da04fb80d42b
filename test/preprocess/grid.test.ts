import { describe, expect, test } from "vitest"
import { preprocess } from "#shared/preprocess/preprocess.ts"
import { apply, type Triple } from "#shared/volume/affine.ts"
import type { Volume } from "#shared/volume/volume.ts"
import { voxelfm } from "./phantom.ts"

type Vector = [number, number, number]

/** A scan described by where its axes run in the patient, not by a matrix. */
interface Scan {
  shape: Triple
  spacing: Triple
  /** Unit vectors (LPS) along which the z, y and x index grow. */
  axes: [Vector, Vector, Vector]
  origin: Vector
}

function position({ spacing, axes, origin }: Scan, index: readonly number[]): Vector {
  return [0, 1, 2].map((c) =>
    axes.reduce((sum, axis, a) => sum + index[a] * spacing[a] * axis[c], origin[c]),
  ) as Vector
}

const distance = (a: readonly number[], b: readonly number[]) =>
  Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])

/** Air, a body of 0 HU as a ball around `body`, and in it a ball of 1500 HU around `ball`; all in patient mm. */
function scanned(scan: Scan, body: Vector, bodyRadius: number, ball: Vector, radius: number): Volume {
  const [nz, ny, nx] = scan.shape
  const voxels = new Float32Array(nz * ny * nx)
  let i = 0
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) {
        const p = position(scan, [z, y, x])
        voxels[i] = distance(p, ball) < radius ? 1500 : distance(p, body) < bodyRadius ? 0 : -1000
      }
  const affine = [0, 1, 2].map((c) => [
    ...scan.axes.map((axis, a) => axis[c] * scan.spacing[a]),
    scan.origin[c],
  ])
  return { voxels, shape: scan.shape, spacing: scan.spacing, affine: [...affine, [0, 0, 0, 1]] }
}

const cos = Math.cos(0.35)
const sin = Math.sin(0.35)
const scans: [string, Scan, number][] = [
  [
    "axial, thick slices",
    {
      shape: [50, 120, 130],
      spacing: [2.5, 0.9, 0.9],
      axes: [
        [0, 0, 1],
        [0, 1, 0],
        [1, 0, 0],
      ],
      origin: [-60, -40, 300],
    },
    25_000,
  ],
  [
    "oblique and anisotropic, over the budget",
    {
      shape: [60, 100, 110],
      spacing: [1.7, 1.1, 0.8],
      axes: [
        [0, -sin, cos],
        [0, cos, sin],
        [1, 0, 0],
      ],
      origin: [-40, -80, -700],
    },
    100,
  ],
  [
    "flipped along every axis, turned in plane",
    {
      shape: [90, 80, 100],
      spacing: [1, 1.3, 1.2],
      axes: [
        [0, 0, -1],
        [-sin, -cos, 0],
        [-cos, sin, 0],
      ],
      origin: [120, 90, 40],
    },
    60,
  ],
  [
    "isotropic, no resampling at all",
    {
      shape: [90, 100, 95],
      spacing: [1, 1, 1],
      axes: [
        [0, 0, 1],
        [0, 1, 0],
        [1, 0, 0],
      ],
      origin: [0, 0, 0],
    },
    25_000,
  ],
]

describe("gridToPatient", () => {
  test.each(scans)("%s: finds a ball whose place in the patient is known", (_name, scan, patchBudget) => {
    const middle = position(
      scan,
      scan.shape.map((n) => n / 2),
    )
    const ball: Vector = [middle[0] + 9.3, middle[1] - 6.1, middle[2] + 4.7]
    const body: Vector = [middle[0] + 3, middle[1], middle[2]]
    const volume = scanned(scan, body, 40, ball, 9)
    const patch = 7
    const input = preprocess(volume, { ...voxelfm, patch, patchBudget })
    const [nz, ny, nx] = input.shape
    const [, gy, gx] = input.grid

    // Centroid of what is denser than the body, and the densest patch.
    const sum = [0, 0, 0]
    let weight = 0
    const perPatch = new Float64Array(input.grid[0] * gy * gx)
    let i = 0
    for (let z = 0; z < nz; z++)
      for (let y = 0; y < ny; y++)
        for (let x = 0; x < nx; x++, i++) {
          const excess = Math.max(0, input.voxels[i] * voxelfm.std + voxelfm.mean)
          weight += excess
          sum[0] += excess * z
          sum[1] += excess * y
          sum[2] += excess * x
          perPatch[(Math.floor(z / patch) * gy + Math.floor(y / patch)) * gx + Math.floor(x / patch)] +=
            excess
        }
    const centroid = sum.map((s) => (s / weight + 0.5) / patch - 0.5) as Vector
    const step = scan.spacing.map(
      (mm, a) => (mm * input.receipt.crop.shape[a]) / input.receipt.budget.shape[a],
    )
    // The ball's own sampling moves its centroid by less than a fifth of the coarsest voxel.
    const voxel = Math.max(...step, ...scan.spacing)
    expect(distance(apply(input.gridToPatient, centroid), ball)).toBeLessThan(voxel / 5)

    const best = perPatch.indexOf(Math.max(...perPatch))
    const densest: Vector = [Math.floor(best / gx / gy), Math.floor(best / gx) % gy, best % gx]
    const away = apply(input.gridToPatient, densest).map((mm, c) => mm - ball[c])
    scan.axes.forEach((axis, a) => {
      const along = Math.abs(away[0] * axis[0] + away[1] * axis[1] + away[2] * axis[2])
      // Half a patch, and half a voxel for a ball that lies on the border of two.
      expect(along).toBeLessThanOrEqual(((patch + 1) / 2) * step[a])
    })
  })

  test.each(scans)("%s: the corners of the crop are where the scan has them", (_name, scan, patchBudget) => {
    const middle = position(
      scan,
      scan.shape.map((n) => n / 2),
    )
    const patch = 7
    const { gridToPatient, receipt, grid } = preprocess(scanned(scan, middle, 32, middle, 5), {
      ...voxelfm,
      patch,
      patchBudget,
    })
    expect(Math.max(...receipt.crop.offset), "the crop cuts something off").toBeGreaterThan(0)
    // Edges, not centres: half a voxel before the first and after the last voxel of the crop.
    const first = receipt.crop.offset.map((n) => n - 0.5)
    const last = receipt.crop.offset.map((n, a) => n + receipt.crop.shape[a] - 0.5)
    // The centre crop left these input voxels off before the first patch and after the last one.
    const before = receipt.budget.shape.map((n, a) => Math.floor((n - receipt.shape[a]) / 2))
    const after = receipt.budget.shape.map((n, a) => n - receipt.shape[a] - before[a])
    const low = before.map((n) => -0.5 - n / patch) as Vector
    const high = grid.map((n, a) => n - 0.5 + after[a] / patch) as Vector
    expect(distance(apply(gridToPatient, low), position(scan, first))).toBeLessThan(1e-9)
    expect(distance(apply(gridToPatient, high), position(scan, last))).toBeLessThan(1e-9)
    expect(gridToPatient[3]).toEqual([0, 0, 0, 1])
  })
})
