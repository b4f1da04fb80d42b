import * as z from "zod"
import type { Weighted } from "./bootstrap.ts"
import { mean } from "./metrics.ts"

/** The share of intervals that are to hold the true value. */
export const intervalShare = 0.9

/** The interval that a predicted value gets: from value − half to value + half. */
export const PredictionInterval = z.object({
  share: z.literal(intervalShare),
  /** In the unit of the labels; null where there are too few patients for an interval of this share. */
  half: z.number().nonnegative().nullable(),
})
export type PredictionInterval = z.infer<typeof PredictionInterval>

/**
 * The half width that holds `intervalShare` of the absolute residuals of rows that were held out, with the (n + 1) of
 * conformal prediction. The residuals are those of CV+ (Barber et al. 2021) and cross-conformal prediction (Vovk 2015),
 * centred on the one head that is kept and not on each fold's: that the head of all rows errs as theirs do, they
 * being of fewer rows, is taken for granted. Groups (patients) weigh the same however many rows they
 * have, so the share is that of any series of a new patient (Lee, Barber and Willett 2023); with one row each it is
 * the ⌈0.9 · (n + 1)⌉-th smallest residual. Null for fewer than 9 groups.
 */
export function halfWidth(residual: Float64Array, group: Uint32Array): number | null {
  const size = new Map<number, number>()
  for (const g of group) size.set(g, (size.get(g) ?? 0) + 1)
  const needed = intervalShare * (size.size + 1)
  const order = Uint32Array.from(residual.keys()).sort((a, b) => residual[a] - residual[b])
  let weight = 0
  for (const row of order) {
    weight += 1 / (size.get(group[row]) ?? 1)
    if (weight >= needed - 1e-9) return residual[row]
  }
  return null
}

/**
 * Honest half widths: each row's from the residuals of all folds but its own. Undefined when there are too few.
 * @param fold of each row
 */
export function heldOutHalfWidths(
  residual: Float64Array,
  group: Uint32Array,
  fold: Uint8Array,
): Float64Array | undefined {
  const found = new Map<number, number | null>()
  for (const held of new Set(fold)) {
    const others = Uint32Array.from(fold.keys()).filter((row) => fold[row] !== held)
    const of = Float64Array.from(others, (row) => residual[row])
    found.set(
      held,
      halfWidth(
        of,
        others.map((row) => group[row]),
      ),
    )
  }
  if ([...found.values()].includes(null)) return undefined
  return Float64Array.from(fold, (f) => found.get(f) ?? Number.NaN)
}

/** The share of rows whose interval holds the truth, to be compared with 0.9, and how wide intervals are on average. */
export function intervalMetrics(residual: Float64Array, half: Float64Array): Record<string, Weighted> {
  const held = residual.map((r, row) => (r <= half[row] ? 1 : 0))
  const width = half.map((h) => 2 * h)
  return {
    "coverage-90": (weight) => mean(held, weight),
    "width-90": (weight) => mean(width, weight),
  }
}
