import { Fault } from "#shared/errors.ts"
import type { Note } from "../volume.ts"
import { fewestSlices, type Slice } from "./group.ts"
import { checkPhases, preferLargest } from "./phases.ts"
import { cross, dot, largest, minus, unit } from "./vectors.ts"

/** One position along the stack and the slices found there, the one to take first. */
export interface Place {
  slices: Slice[]
  /** mm from the first place, along the stack. */
  along: number
}

/** Slices in order, and the axes they span. Directions are unit vectors, LPS. */
export interface Stack {
  places: Place[]
  /** Centre of the first voxel of the first slice, LPS mm. */
  origin: number[]
  /** From slice to slice. Not the normal when the gantry was tilted. */
  step: number[]
  /** Growing row index, growing column index. */
  down: number[]
  across: number[]
  /** mm between rows, between columns */
  pixel: readonly [number, number]
  notes: Note[]
}

/** Slices nearer than this are in the same place; reconstructions overlap to 0.1 mm at the finest. */
const samePlace = 0.01

/**
 * Orders the slices of one stack along their normal by ImagePositionPatient, never by name or number. Where several
 * lie in one place, copies (same SOPInstanceUID) are dropped, and of different objects one is kept (`phases.ts`); both
 * are noted. A stack with different objects in more than half of its places is no accident but several volumes, and
 * refused.
 * @throws Fault `no-spacing`, `implausible-spacing`, `no-orientation`, `bad-orientation`, `too-few-slices`, `shifted-slices`, `several-volumes`
 */
export function orderStack(slices: Slice[]): Stack {
  const { pixel, across, down } = planeOf(slices)
  const normal = cross(across, down)
  const sorted = slices
    .map((slice) => ({ slice, height: dot(normal, positionOf(slice)) }))
    .sort((a, b) => a.height - b.height)
  const groups: Slice[][] = []
  let last = Number.NEGATIVE_INFINITY
  for (const { slice, height } of sorted) {
    if (height - last < samePlace) groups[groups.length - 1].push(slice)
    else {
      groups.push([slice])
      last = height
    }
  }
  if (groups.length < fewestSlices) {
    const message = `the slices lie in only ${groups.length} places: a volume has ${fewestSlices} or more; give the whole series`
    throw new Fault("invalid", "too-few-slices", message)
  }
  preferLargest(groups)
  checkPhases(groups.map(([slice]) => slice))
  const origin = positionOf(groups[0][0])
  const whole = minus(positionOf(groups[groups.length - 1][0]), origin)
  const step = unit(whole)
  const places = groups.map((group) => ({
    slices: group,
    along: dot(step, minus(positionOf(group[0]), origin)),
  }))
  checkLine(places, origin, step, Math.min(...pixel))
  return { places, origin, step, down, across, pixel, notes: duplicates(groups) }
}

function planeOf(slices: Slice[]): Pick<Stack, "pixel" | "across" | "down"> {
  const { spacing, orientation } = slices[0].frame
  if (!spacing || Math.min(...spacing.slice(0, 2)) <= 0) {
    const found = spacing ? "is 0 or negative" : "is absent"
    throw new Fault("invalid", "no-spacing", `PixelSpacing ${found}: export the series with its geometry`)
  }
  if (Math.min(...spacing) < 0.01 || Math.max(...spacing) > 100) {
    const message = `a PixelSpacing of ${spacing.join(" × ")} mm is no patient's CT: export the series again`
    throw new Fault("invalid", "implausible-spacing", message)
  }
  const placed = slices.every(({ frame }) => frame.orientation && frame.position)
  if (!orientation || !placed) {
    const message =
      "ImageOrientationPatient or ImagePositionPatient is absent, so nobody can tell where the slices lie: export the series with its geometry"
    throw new Fault("invalid", "no-orientation", message)
  }
  const [across, down] = [orientation.slice(0, 3), orientation.slice(3, 6)]
  // Rounded cosines stay within 1 % of unit length and right angle.
  const sound = Math.abs(Math.hypot(...across) - 1) < 0.01 && Math.abs(Math.hypot(...down) - 1) < 0.01
  if (!sound || Math.abs(dot(across, down)) > 0.01)
    throw new Fault(
      "invalid",
      "bad-orientation",
      "ImageOrientationPatient is no pair of unit vectors at a right angle: export the series again",
    )
  return { pixel: [spacing[0], spacing[1]], across: unit(across), down: unit(down) }
}

/** Slices shifted sideways against each other cannot be stacked: each may lie off the line by half a pixel. */
function checkLine(places: Place[], origin: number[], step: number[], pixel: number): void {
  const off = largest(
    places.map(({ slices, along }) => {
      const offset = minus(positionOf(slices[0]), origin)
      return Math.hypot(...offset.map((mm, axis) => mm - along * step[axis]))
    }),
  )
  if (off > pixel / 2) {
    const message = `slices are shifted sideways by up to ${off.toFixed(1)} mm: they are not one straight stack, export them as separate series`
    throw new Fault("invalid", "shifted-slices", message)
  }
}

function duplicates(groups: Slice[][]): Note[] {
  let copies = 0
  let others = 0
  let disputed = 0
  for (const group of groups) {
    const different = new Set(group.map(({ object, index }) => `${object.instanceUid} ${index}`)).size
    copies += group.length - different
    others += different - 1
    if (different > 1) disputed++
  }
  if (disputed > groups.length / 2) {
    const message = `${disputed} of ${groups.length} places hold more than one slice: this is several volumes (phases, reconstructions) under one series, export each as its own`
    throw new Fault("invalid", "several-volumes", message)
  }
  const notes: Note[] = []
  if (copies > 0)
    notes.push({ code: "duplicate-copies", message: `${copies} copies of slices were left out` })
  if (others > 0) {
    const message = `${others} further slices lie where another one does: of each place one was kept, of the largest acquisition and with the lowest instance number`
    notes.push({ code: "duplicate-positions", message })
  }
  return notes
}

function positionOf({ frame }: Slice): number[] {
  return frame.position?.slice(0, 3) ?? []
}
