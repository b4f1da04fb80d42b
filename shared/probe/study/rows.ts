import type { Problem } from "../head/problem.ts"

/** A problem with what its rows must be split by. */
export type Study = Problem & {
  /** The patient of each row, numbered from 0; the row's own number where nothing is known of patients. */
  group: Uint32Array
  /** The class of each row, the fifth of the range of its value, or 1 where it had the event and 0 where not. */
  stratum: Uint32Array
}

/** Which strata every head must have learned from: all classes, or events. */
export function needed(kind: Problem["kind"], stratum: Uint32Array): Set<number> {
  return new Set(kind === "ridge" ? [] : kind === "cox" ? [1] : stratum)
}
