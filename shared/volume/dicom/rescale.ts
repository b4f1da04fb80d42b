import { Fault } from "#shared/errors.ts"
import { huClip } from "../hu.ts"
import type { Note } from "../volume.ts"
import type { Slice } from "./group.ts"

/** RescaleType (0028,1054) where it is given; US (unspecified) is written for plain CT too. */
const hounsfield = new Set(["", "HU", "US", "HU_MOD"])

/**
 * How the stored values of a series become HU: refuses what cannot, and says what was taken for granted.
 * @throws Fault `not-hu`, `bad-rescale`
 */
export function rescaleNotes(slices: Slice[]): Note[] {
  const frames = slices.map(({ frame }) => frame)
  if (frames.some(({ unit }) => !hounsfield.has(unit))) {
    const message =
      "RescaleType says that the values are no Hounsfield units (a material or effective-Z map): give the CT images"
    throw new Fault("invalid", "not-hu", message)
  }
  if (frames.some(({ lookup }) => lookup))
    throw bad(
      "a ModalityLUTSequence, which is not read, stands in place of RescaleSlope and RescaleIntercept",
    )
  if (frames.some(({ slope, intercept }) => Number.isNaN(slope) || Number.isNaN(intercept)))
    throw bad("RescaleSlope or RescaleIntercept is no number")
  if (frames.some(({ slope }) => slope === 0)) throw bad("RescaleSlope is 0, which makes every voxel alike")

  const lacking = frames.filter(({ slope, intercept }) => slope === undefined || intercept === undefined)
  if (lacking.length > 0 && lacking.length < frames.length)
    throw bad(`${lacking.length} of ${frames.length} slices lack RescaleSlope or RescaleIntercept`)
  const notes = paddingNotes(slices)
  if (lacking.length > 0) {
    const message = "RescaleSlope or RescaleIntercept is absent: a slope of 1, an intercept of 0 was taken"
    notes.push({ code: "rescale-assumed", message })
  }
  return notes
}

/** Padding is air by the standard; but some writers call 0 padding and use it for water all the same. */
function paddingNotes(slices: Slice[]): Note[] {
  const doubtful = slices.some(({ object: { format }, frame: { slope = 1, intercept = 0 } }) =>
    format.padding?.some(
      (value) => value * slope + intercept > huClip[0] && value * slope + intercept < huClip[1],
    ),
  )
  if (!doubtful) return []
  const message = "PixelPaddingValue stands for HU that a body has too: all voxels of that value became air"
  return [{ code: "padding-within-range", message }]
}

function bad(what: string): Fault {
  return new Fault("invalid", "bad-rescale", `${what}: export the series again`)
}
