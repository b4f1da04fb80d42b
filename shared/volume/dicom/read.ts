import { Fault } from "#shared/errors.ts"
import type { Triple } from "../affine.ts"
import { canonical, obliqueNotes } from "../canonical.ts"
import { checkHu } from "../hu.ts"
import { limits, type Note, type ReadVolume } from "../volume.ts"
import { evenGrid } from "./even.ts"
import type { Slice } from "./group.ts"
import { readPlanes } from "./planes.ts"
import { type Axes, ontoEvenGrid, ontoUprightGrid, tiltDegrees, uprightAxes } from "./resample.ts"
import { rescaleNotes } from "./rescale.ts"
import { orderStack } from "./stack.ts"
import { codecOf } from "./syntax.ts"
import { smallest } from "./vectors.ts"

/** Below this tilt the affine's shear is left as it is: 0.5° moves a voxel 100 mm away by less than 1 mm. */
const tiltLimit = 0.5

/**
 * Reads the slices of one series (`groupSlices`) as a volume. Whatever had to be done to make an even, upright grid
 * of them is in the receipt's notes. Memory: the volume in float32 and a slice; twice the volume when it has to be
 * resampled or when its axes are not the canonical ones.
 * @throws Fault naming what is wrong: see `syntax.ts`, `rescale.ts`, `stack.ts`, `planes.ts`, `pixels.ts`, `even.ts`, `hu.ts`
 */
export async function readSeries(slices: Slice[]): Promise<ReadVolume> {
  for (const { object } of slices) codecOf(object.syntax)
  const rescale = rescaleNotes(slices)
  const stack = orderStack(slices)
  const { rows, columns } = slices[0].object.format
  checkSize(stack.places.length, rows, columns)
  const planes = await readPlanes(stack.places, rows * columns)
  // Counted from the first slice that could be read.
  const { along: first } = planes.places[0]
  const along = planes.places.map((place) => place.along - first)
  const origin = stack.origin.map((mm, axis) => mm + first * stack.step[axis])
  const grid = evenGrid(along)
  checkSize(grid.count, rows, columns)

  const shape: Triple = [grid.count, rows, columns]
  const spacing: Triple = [grid.step, ...stack.pixel]
  const notes = [
    ...rescale,
    ...stack.notes,
    ...planes.notes,
    ...grid.notes,
    ...sliceNotes(planes.slices, grid.step),
  ]
  let voxels = grid.asIs ? planes.voxels : ontoEvenGrid(planes.voxels, along, grid)
  let axes: Axes = [stack.step, stack.down, stack.across]
  const tilt = tiltDegrees(axes)
  if (tilt > tiltLimit) {
    const upright = uprightAxes(axes)
    voxels = ontoUprightGrid(voxels, shape, spacing, axes, upright)
    axes = upright
    notes.push(tiltNote(tilt, (rows - 1) * stack.pixel[0]))
  }
  checkHu(voxels)

  const affine = [0, 1, 2].map((row) => [...axes.map((axis, j) => axis[row] * spacing[j]), origin[row]])
  const { volume, layout } = canonical({ voxels, shape, affine: [...affine, [0, 0, 0, 1]] })
  notes.push(...obliqueNotes(layout))
  const files = new Set(planes.slices.map(({ object }) => object)).size
  const geometry = { shape: volume.shape, spacing: volume.spacing, affine: volume.affine }
  return { volume, receipt: { format: "dicom", files, orientation: layout.orientation, ...geometry, notes } }
}

function checkSize(count: number, rows: number, columns: number): void {
  if (count * rows * columns <= limits.voxels) return
  const message = `${count} slices of ${rows} × ${columns} are more than ${limits.voxels} voxels: crop or resample the series first`
  throw new Fault("too_large", "too-many-voxels", message)
}

function sliceNotes(slices: Slice[], step: number): Note[] {
  const notes: Note[] = []
  const thinnest = smallest(slices.map(({ frame }) => frame.thickness || Number.POSITIVE_INFINITY))
  if (step > 1.1 * thinnest) {
    const message = `slices of ${thinnest} mm lie ${Number(step.toFixed(3))} mm apart: what is between them was not scanned`
    notes.push({ code: "gaps-between-slices", message })
  }
  if (slices.some(({ frame }) => frame.counted)) {
    const message = "the frames carry no positions: laid along the normal, SpacingBetweenSlices apart"
    notes.push({ code: "positions-counted", message })
  }
  return notes
}

function tiltNote(degrees: number, height: number): Note {
  const beyond = (height * Math.sin((degrees * Math.PI) / 180)).toFixed(0)
  const message = `the gantry was tilted by ${degrees.toFixed(1)}°: resampled linearly onto an upright grid of as many slices; up to ${beyond} mm of the tilted ones lie beyond it, and what they do not reach is air`
  return { code: "gantry-tilt", message }
}
