import { type Random, random } from "./random.ts"

export type Region = "chest" | "abdomen" | "trunk"
export type Finding = "nodule" | "lesion" | "none"

/** One imagined person: whatever two series of the same body share. Lengths in mm, attenuation in HU. */
export interface Person {
  age: number
  sex: "F" | "M"
  region: Region
  finding: Finding
  /** Diameter of the finding; 0 without one. */
  findingMm: number
  /** How much wider, deeper and taller than the drawn body: [x, y, z]. */
  scale: readonly [number, number, number]
  /** Thickness of the fat under the skin at the flank. */
  fat: number
  /** Fat between the organs: 0 lean, 1 plenty. */
  visceral: number
  /** Trabecular bone of the vertebrae: falls with age. */
  marrow: number
  /** Contrast medium, as HU of what it fills. */
  contrast: { artery: number; vein: number; heart: number; liver: number; spleen: number; kidney: number }
  /** Chance for the shapes of the organs. */
  shapes: number
}

const phases: Record<"none" | "arterial" | "portal", Person["contrast"]> = {
  none: { artery: 42, vein: 42, heart: 42, liver: 56, spleen: 48, kidney: 33 },
  arterial: { artery: 310, vein: 60, heart: 230, liver: 72, spleen: 125, kidney: 150 },
  portal: { artery: 150, vein: 165, heart: 145, liver: 112, spleen: 122, kidney: 185 },
}

/** The person of a seed. Regions take turns, so that a demo has each of them about equally often. */
export function person(seed: number): Person {
  const chance = random(seed)
  const { between, pick } = chance
  const sex = pick(["F", "M"] as const)
  const age = Math.round(between(24, 88))
  const region = (["chest", "abdomen", "trunk"] as const)[seed % 3]
  const size = between(0.92, 1.06) + (sex === "M" ? 0.03 : -0.03)
  return {
    age,
    sex,
    region,
    ...found(region, chance),
    scale: [size * between(0.97, 1.05), size * between(0.94, 1.06), size * between(0.97, 1.03)],
    fat: between(10, 34) + (sex === "F" ? 5 : 0),
    visceral: between(0, 0.7) + (sex === "M" ? 0.3 : 0),
    // Trabecular attenuation at L1 is about 230 HU at 25 and 100 HU at 80 (Jang et al., Radiology 2019).
    marrow: Math.max(60, 290 - 2.3 * age + between(-25, 25)),
    contrast:
      phases[
        region === "chest" ? pick(["none", "arterial"] as const) : pick(["none", "portal", "portal"] as const)
      ],
    shapes: Math.floor(between(0, 2 ** 31)),
  }
}

function found(region: Region, { next, between }: Random): { finding: Finding; findingMm: number } {
  const kind =
    region === "chest" ? "nodule" : region === "abdomen" ? "lesion" : next() < 0.5 ? "nodule" : "lesion"
  if (next() < 0.4) return { finding: "none", findingMm: 0 }
  return { finding: kind, findingMm: Math.round(kind === "nodule" ? between(8, 30) : between(14, 45)) }
}
