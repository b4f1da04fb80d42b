import * as z from "zod"

/**
 * What turns the scores of a linear classification head into scores whose probabilities are met by what happens.
 * Two classes: slope · score + intercept (Platt 1999). More: every score over one temperature (Guo et al. 2017).
 * Neither changes the order of scores, for the slope and the temperature are above 0.
 */
export const Calibration = z.discriminatedUnion("method", [
  z.object({ method: z.literal("platt"), slope: z.number().positive(), intercept: z.number() }),
  z.object({ method: z.literal("temperature"), temperature: z.number().positive() }),
])
export type Calibration = z.infer<typeof Calibration>

/** The scores of one row, calibrated. */
export function calibrated(calibration: Calibration, scores: Float64Array): Float64Array {
  if (calibration.method === "platt") {
    const { slope, intercept } = calibration
    return scores.map((score) => slope * score + intercept)
  }
  return scores.map((score) => score / calibration.temperature)
}

/** As a head's file keeps it: [slope, intercept] or [temperature]. */
export function numbersOf(calibration: Calibration): Float64Array {
  return calibration.method === "platt"
    ? Float64Array.of(calibration.slope, calibration.intercept)
    : Float64Array.of(calibration.temperature)
}

/** Back from `numbersOf`. */
export function fromNumbers(numbers: Float64Array): Calibration {
  return numbers.length === 2
    ? { method: "platt", slope: numbers[0], intercept: numbers[1] }
    : { method: "temperature", temperature: numbers[0] }
}
