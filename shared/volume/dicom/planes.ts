import { Fault } from "#shared/errors.ts"
import type { Note } from "../volume.ts"
import { fewestSlices, type Slice } from "./group.ts"
import { readHu, withPixels } from "./pixels.ts"
import type { Place } from "./stack.ts"

export interface Planes {
  /** HU of the places that could be read, one plane after the other. */
  voxels: Float32Array
  places: Place[]
  /** The slice that was read for each of them. */
  slices: Slice[]
  notes: Note[]
}

interface Wanted {
  slice: Slice
  /** Index of its place. */
  at: number
}

/**
 * Reads one plane of `size` pixels per place. Where the preferred slice is damaged, the others of its place are tried;
 * a place without any readable slice is left out, by a note that gives the file's name, for at most 5 % of them (or one).
 * @throws Fault of the first damaged slice when there are more
 */
export async function readPlanes(places: Place[], size: number): Promise<Planes> {
  const voxels = new Float32Array(places.length * size)
  const read: (Slice | undefined)[] = places.map(() => undefined)
  const damaged = new Map<number, { slice: Slice; fault: Fault }>()
  for (let attempt = 0; ; attempt++) {
    const wanted = places.flatMap(({ slices }, at) =>
      read[at] || !slices[attempt] ? [] : [{ at, slice: slices[attempt] }],
    )
    if (wanted.length === 0) break
    for (const frames of byObject(wanted)) {
      const faults = await readFrames(frames, voxels, size)
      frames.forEach(({ at, slice }, i) => {
        const fault = faults[i]
        if (!fault) read[at] = slice
        else if (!damaged.has(at)) damaged.set(at, { slice, fault })
      })
    }
  }
  const lost = [...damaged].filter(([at]) => !read[at]).map(([, damage]) => damage)
  checkLost(lost, places.length)
  return {
    voxels: compact(voxels, read, size),
    places: places.filter((_, at) => read[at]),
    slices: read.filter((slice) => slice !== undefined),
    notes: lost.map(({ slice, fault }) => ({
      code: "damaged-slice",
      message: `${slice.object.name} was taken as missing: ${fault.message} [${fault.code}]`,
    })),
  }
}

function byObject(wanted: Wanted[]): Wanted[][] {
  const groups = new Map<unknown, Wanted[]>()
  for (const one of wanted) {
    const group = groups.get(one.slice.object)
    if (group) group.push(one)
    else groups.set(one.slice.object, [one])
  }
  return [...groups.values()]
}

/** Reads frames of one object into their planes; what is wrong with each, if anything. */
async function readFrames(
  frames: Wanted[],
  voxels: Float32Array,
  size: number,
): Promise<(Fault | undefined)[]> {
  const faults: (Fault | undefined)[] = []
  const whole = await faultOf(() =>
    withPixels(frames[0].slice.object, async (open) => {
      for (const { slice, at } of frames) {
        const plane = voxels.subarray(at * size, (at + 1) * size)
        faults.push(await faultOf(() => readHu(open, slice, plane)))
      }
    }),
  )
  return whole ? frames.map(() => whole) : faults
}

async function faultOf(work: () => Promise<void>): Promise<Fault | undefined> {
  try {
    await work()
    return undefined
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown
    throw thrown
  }
}

function checkLost(lost: { slice: Slice; fault: Fault }[], places: number): void {
  if (lost.length === 0) return
  if (lost.length <= Math.max(1, 0.05 * places) && places - lost.length >= fewestSlices) return
  const [{ slice, fault }] = lost
  const message = `${lost.length} of ${places} slices cannot be read, ${slice.object.name} first: ${fault.message}`
  throw new Fault(fault.kind, fault.code, message, { cause: fault })
}

/** Moves the planes that were read together, over those that were not. */
function compact(voxels: Float32Array, read: (Slice | undefined)[], size: number): Float32Array {
  let to = 0
  for (let at = 0; at < read.length; at++) {
    if (!read[at]) continue
    if (to !== at) voxels.copyWithin(to * size, at * size, (at + 1) * size)
    to++
  }
  return voxels.subarray(0, to * size)
}
