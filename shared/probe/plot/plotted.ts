import type { Study } from "../study/rows.ts"

/** What the plots of a probe are drawn from, beside its record. */
export interface Plotted {
  study: Study
  /** What the heads of the folds said of each row, [rows, outputs]. */
  outOfFold: Float64Array
}
