/** Weights on standardised columns, [outputs, columns] row-major, and one intercept per output. */
export interface Fitted {
  weights: Float64Array
  intercept: Float64Array
  converged: boolean
}

/** No entry of the gradient of the mean objective per series may exceed this in a head that is used. */
export const finalTolerance = 1e-7
/** Enough to tell penalties apart; scikit-learn's default. */
export const roughTolerance = 1e-4

/** Fits from the strongest penalty down, each solution the start of the next; answers in the order given. */
export function alongPenalties(
  penalties: number[],
  fit: (penalty: number, start?: Fitted) => Fitted,
): Fitted[] {
  const strongestFirst = penalties.map((_, i) => i).sort((a, b) => penalties[b] - penalties[a])
  const fits: Fitted[] = []
  let last: Fitted | undefined
  for (const i of strongestFirst) {
    last = fit(penalties[i], last)
    fits[i] = last
  }
  return fits
}
