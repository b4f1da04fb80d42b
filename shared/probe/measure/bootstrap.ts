import { prng, randomInt } from "../math/prng.ts"

export interface Interval {
  low: number
  high: number
}

export interface BootstrapOptions {
  seed: number
  replicates?: number
}

/** A metric of all rows, each with its weight. */
export type Weighted = (weight?: Float64Array) => number

/**
 * Percentile 95 % intervals of metrics (Efron and Tibshirani 1993, chapter 13): whole groups (patients) are drawn
 * with replacement, as many as there are, and each metric is taken again. `group` numbers each row from 0.
 * Replicates in which a metric is not defined (NaN: one class only) are left out for that metric and counted in
 * `undefinedIn`; where more than half are, it has no interval.
 */
export function bootstrap(
  metrics: Weighted[],
  group: Uint32Array,
  { seed, replicates = 1000 }: BootstrapOptions,
): { intervals: (Interval | undefined)[]; undefinedIn: number[] } {
  const groups = group.reduce((max, g) => Math.max(max, g), -1) + 1
  const random = prng(seed)
  const found = metrics.map(() => new Float64Array(replicates))
  const drawn = new Float64Array(groups)
  const weight = new Float64Array(group.length)
  for (let b = 0; b < replicates; b++) {
    drawn.fill(0)
    for (let i = 0; i < groups; i++) drawn[randomInt(random, groups)]++
    for (let row = 0; row < group.length; row++) weight[row] = drawn[group[row]]
    for (let m = 0; m < metrics.length; m++) found[m][b] = metrics[m](weight)
  }
  const defined = found.map((values) => values.filter((v) => !Number.isNaN(v)).sort())
  return {
    intervals: defined.map((values) =>
      2 * values.length < replicates
        ? undefined
        : { low: quantile(values, 0.025), high: quantile(values, 0.975) },
    ),
    undefinedIn: defined.map((values) => replicates - values.length),
  }
}

/** Linear between the neighboring values, as numpy's default. */
function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1)
  const below = Math.floor(at)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (at - below) * (sorted[above] - sorted[below])
}
