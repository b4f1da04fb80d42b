import { type Dataset, numbers, text } from "./dataset.ts"
import { cross } from "./vectors.ts"

/** Where one frame lies and how its stored values become HU. What the object does not say is undefined. */
export interface Frame {
  /** ImagePositionPatient: the centre of the first pixel, LPS mm. */
  position: number[] | undefined
  /** ImageOrientationPatient: direction of growing column index, then of growing row index. */
  orientation: number[] | undefined
  /** PixelSpacing: mm between rows, then between columns. */
  spacing: number[] | undefined
  /** SliceThickness, mm. */
  thickness: number | undefined
  /** RescaleSlope and RescaleIntercept; NaN when they are there and no number. */
  slope: number | undefined
  intercept: number | undefined
  /** RescaleType; "" when absent. */
  unit: string
  /** A ModalityLUTSequence is to be used in place of slope and intercept. */
  lookup: boolean
  /** The object gives one position for all frames: this one was counted on from it along the normal. */
  counted: boolean
}

const sharedGroups = 0x52009229
const perFrameGroups = 0x52009230
const planePosition = 0x00209113
const planeOrientation = 0x00209116
const pixelMeasures = 0x00289110
const valueTransformation = 0x00289145

/** One record per frame: from the functional groups of an enhanced object, else from the object's own attributes. */
export function framesOf(dataset: Dataset, count: number): Frame[] {
  const shared = dataset.elements.get(sharedGroups)?.items[0]
  const perFrame = dataset.elements.get(perFrameGroups)?.items ?? []
  const frames = Array.from({ length: count }, (_, i) => frameOf(dataset, shared, perFrame[i]))
  const own = perFrame.some((group) => group.elements.has(planePosition))
  return count > 1 && !own ? countOn(frames, numbers(dataset, 0x00180088, 1)?.[0]) : frames
}

function frameOf(dataset: Dataset, shared: Dataset | undefined, own: Dataset | undefined): Frame {
  // A macro stands in the frame's own group, in the shared one, or (classic objects) nowhere.
  const macro = (tag: number) =>
    own?.elements.get(tag)?.items[0] ?? shared?.elements.get(tag)?.items[0] ?? dataset
  const measures = macro(pixelMeasures)
  const values = macro(valueTransformation)
  return {
    position: numbers(macro(planePosition), 0x00200032, 3), // ImagePositionPatient
    orientation: numbers(macro(planeOrientation), 0x00200037, 6), // ImageOrientationPatient
    spacing: numbers(measures, 0x00280030, 2), // PixelSpacing
    thickness: numbers(measures, 0x00180050, 1)?.[0], // SliceThickness
    slope: decimal(values, 0x00281053), // RescaleSlope
    intercept: decimal(values, 0x00281052), // RescaleIntercept
    unit: text(values, 0x00281054), // RescaleType
    lookup: values.elements.has(0x00283000), // ModalityLUTSequence
    counted: false,
  }
}

function decimal(dataset: Dataset, tag: number): number | undefined {
  return text(dataset, tag) === "" ? undefined : (numbers(dataset, tag, 1)?.[0] ?? Number.NaN)
}

/** Classic multi-frame: frame i lies i times SpacingBetweenSlices (0018,0088) along the normal. Without it, nowhere. */
function countOn(frames: Frame[], step: number | undefined): Frame[] {
  return frames.map((frame, i) => {
    const { position, orientation } = frame
    if (!position || !orientation || !step) return { ...frame, position: undefined }
    const normal = cross(orientation.slice(0, 3), orientation.slice(3, 6))
    return { ...frame, position: position.map((mm, axis) => mm + i * step * normal[axis]), counted: true }
  })
}
