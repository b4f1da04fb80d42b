import type { Volume } from "#shared/volume/volume.ts"
import { abdomen } from "./abdomen.ts"
import { type Acquisition, acquisition, emptyCanvas, expose } from "./acquire.ts"
import { bones } from "./bones.ts"
import { type Canvas, ellipsoid, type Point } from "./canvas.ts"
import { chest } from "./chest.ts"
import { type Finding, type Person, person, type Region } from "./person.ts"
import { random } from "./random.ts"
import { texture } from "./texture.ts"
import { trunk } from "./trunk.ts"

export interface PhantomMetadata {
  /** A made-up name, the same for all series of one body. */
  patient: string
  age: number
  sex: "F" | "M"
  region: Region
  finding: Finding
  findingMm: number
}

export interface Phantom {
  volume: Volume
  metadata: PhantomMetadata
}

/**
 * A computed CT of a trunk that nobody has: fat, muscle, bone, lungs and organs in HU, with noise and a table.
 * @param seed the body; the same seed gives the same voxels on every machine
 * @param series which reconstruction of that body's scan: other slices, kernel and noise
 */
export function phantom(seed: number, series = 0): Phantom {
  const body = person(seed)
  const made = acquisition(body, random(body.shapes + 3), random(body.shapes + 4 + series))
  const canvas = emptyCanvas(made, body)
  trunk(canvas, body)
  chest(canvas, body, random(body.shapes))
  abdomen(canvas, body, random(body.shapes + 1))
  place(canvas, body)
  bones(canvas, body)
  texture(canvas, body)
  const { age, sex, region, finding, findingMm } = body
  const patient = `phantom-${String(seed).padStart(2, "0")}`
  return {
    volume: { ...geometry(made), voxels: expose(canvas, body, made) },
    metadata: { patient, age, sex, region, finding, findingMm },
  }
}

/** Puts in the finding: a nodule within a lung, or a lesion within the liver. */
function place(canvas: Canvas, { finding, findingMm, scale, shapes, contrast }: Person): void {
  if (finding === "none") return
  const { between, pick } = random(shapes + 2)
  const r = findingMm / 2
  const radii: Point = [r / scale[0], r / scale[1], r / scale[2]]
  if (finding === "nodule") {
    const at: Point = [pick([-1, 1]) * between(72, 92), between(-15, 40), between(70, 140)]
    const hu = between(20, 60)
    ellipsoid(canvas, { at, radii }, (old) => (old < -400 ? hu : old))
  } else {
    const at: Point = [between(-95, -60), between(-30, 15), between(-62, -35)]
    const hu = contrast.liver - between(38, 55)
    ellipsoid(canvas, { at, radii }, (old) => (old > 0 ? hu : old))
  }
}

/** Canonical axes lie along the patient's, so the affine only scales and shifts. */
function geometry({ shape, spacing, start }: Acquisition): Pick<Volume, "shape" | "spacing" | "affine"> {
  const affine = [
    [0, 0, spacing[2], start[2]],
    [0, spacing[1], 0, start[1]],
    [spacing[0], 0, 0, start[0]],
    [0, 0, 0, 1],
  ]
  return { shape, spacing, affine }
}
