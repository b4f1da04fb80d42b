import type { Frame } from "./frames.ts"
import type { DicomObject } from "./object.ts"

/** One frame of one object. */
export interface Slice {
  object: DicomObject
  /** From 0. */
  index: number
  frame: Frame
}

/** Fewer slices make no volume: their spacing could not even be checked. As for NIfTI. */
export const fewestSlices = 3

/**
 * Sorts objects into stacks that can become one volume each: by SeriesInstanceUID, and within a series by rows,
 * columns, orientation and pixel spacing (so that an embedded localizer or a second plane is not stacked up with
 * the rest). Ordered by SeriesNumber, then by the name of the first file.
 */
export function groupSlices(objects: DicomObject[]): Slice[][] {
  const stacks: Slice[][] = []
  const ordered = [...objects].sort((a, b) => a.seriesNumber - b.seriesNumber || compare(a.path, b.path))
  const bySeries = new Map<string, Slice[][]>()
  for (const object of ordered) {
    const stacksHere = bySeries.get(object.seriesUid) ?? []
    bySeries.set(object.seriesUid, stacksHere)
    for (const [index, frame] of object.frames.entries()) {
      const slice = { object, index, frame }
      const stack = stacksHere.find(([first]) => alike(first, slice))
      if (stack) stack.push(slice)
      else {
        const started = [slice]
        stacksHere.push(started)
        stacks.push(started)
      }
    }
  }
  return stacks
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function alike(a: Slice, b: Slice): boolean {
  return (
    a.object.format.rows === b.object.format.rows &&
    a.object.format.columns === b.object.format.columns &&
    // Direction cosines to about 0.3°, spacing to 1 %: headers of one acquisition agree far better.
    close(a.frame.orientation, b.frame.orientation, 0.005) &&
    close(a.frame.spacing, b.frame.spacing, 0.01 * (a.frame.spacing?.[0] ?? 0))
  )
}

function close(a: number[] | undefined, b: number[] | undefined, tolerance: number): boolean {
  if (!a || !b) return a === b
  return a.every((value, i) => Math.abs(value - b[i]) <= tolerance)
}
