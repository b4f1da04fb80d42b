import type { Receipt } from "#shared/features/features.ts"
import { written } from "../plot/axis.ts"
import type { Answer } from "../predict.ts"
import type { Explanation } from "./explanation.ts"
import { huWindow } from "./slices.ts"

/** What a picture of contributions is and what it is not. */
export const whatItIs =
  "This shows where the linear score comes from: it is no segmentation, and no proof of cause. " +
  "A patch's token knows of the rest of the scan, too."

/** What was answered, and of what. */
export function titleOf({ of, prediction }: Explanation): string {
  return `Where ${of}${answered(prediction)} comes from`
}

function answered(answer: Answer): string {
  if ("label" in answer) return ` (probability ${answer.probabilities[answer.label].toFixed(2)})`
  if ("value" in answer) return ` = ${`${digits(answer.value)} ${answer.unit ?? ""}`.trim()}`
  return ` (${digits(answer.risk)})`
}

/** The lines below the slices. @param patchMm edges of a patch along [z, y, x] */
export function remarksOf(explanation: Explanation, receipt: Receipt, patchMm: number[]): string[] {
  const { unit, score, intercept, cls, patches, clsShare, grid, towards } = explanation
  const count = grid[0] * grid[1] * grid[2]
  const token = cls === null ? "" : ` + CLS token ${digits(cls)}`
  const share =
    cls === null
      ? "The probe does not read the CLS token."
      : `The CLS token is of no place; its part is ${Math.round(100 * clsShare)} % of |CLS token| + |patches|.`
  const [spot] = explanation.for
  const oblique = receipt.volume.notes.filter(({ code }) => code === "oblique")
  return [
    `Score ${digits(score)} ${unit}${explanation.beforeCalibration ? " before calibration" : ""} = intercept ${digits(intercept)}${token} + ${count} patches ${digits(patches)}. ${share}`,
    spot
      ? `The slices go through the patch that ${speaks()}, at ${spot.patient.map((mm) => mm.toFixed(0).replace("-", "−")).join(", ")} mm (x to the left, y to the back, z to the head): ${digits(spot.contribution)} ${unit}.`
      : "No patch speaks for the answer: the slices go through the middle one.",
    `Vermillion adds to the score, blue takes from it; clear is a patch like the mean of the training series.`,
    `A cell is one patch, ${patchMm.map((mm) => mm.toFixed(1)).join(" × ")} mm (z, y, x); CT from ${huWindow.map(digits).join(" to ")} HU.`,
    ...oblique.map(({ message }) => `${message[0].toUpperCase()}${message.slice(1)}.`),
    whatItIs,
  ]

  function speaks(): string {
    if ("label" in explanation.prediction) return "speaks most for the answer"
    return towards === 1 ? "raises the score most" : "lowers the score most"
  }
}

function digits(value: number): string {
  return written(Number(value.toPrecision(3)))
}
