import * as z from "zod"

/** The 97.5 % point of the normal distribution: 95 % lie within so many standard deviations on both sides. */
export const normal975 = 1.959963984540054

/** A share of some rows, with its 95 % interval; each row counts as independent of the others. */
export const Share = z.object({ value: z.number(), low: z.number(), high: z.number() })
export type Share = z.infer<typeof Share>

/** Wilson's (1927) interval of a share, which holds up for few rows and for shares near 0 and 1; null of no rows. */
export function wilson(hits: number, of: number): Share | null {
  if (of === 0) return null
  const value = hits / of
  const square = normal975 ** 2 / of
  const centre = (value + square / 2) / (1 + square)
  const half = (normal975 * Math.sqrt((value * (1 - value)) / of + square / of / 4)) / (1 + square)
  // Rounding must not push the ends off a share of none or all.
  return { value, low: hits === 0 ? 0 : centre - half, high: hits === of ? 1 : centre + half }
}
