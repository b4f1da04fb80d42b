import type { Outcomes } from "./survival-metrics.ts"

/**
 * The log-rank test (Mantel 1966; Peto and Peto 1972) that three groups have the same survival: χ² of 2 degrees of
 * freedom, whose tail is e^(−χ²/2). Null where it is not defined: fewer than three groups could have had an event.
 * @param group 0, 1 or 2 per row
 */
export function logRank(
  { time, event }: Outcomes,
  group: Uint8Array,
): { statistic: number; p: number } | null {
  const order = Uint32Array.from(time.keys()).sort((a, b) => time[a] - time[b])
  const atRisk = [0, 0, 0]
  for (const g of group) atRisk[g]++
  // Of the first two groups; the third's follow from theirs.
  let [u0, u1, v00, v01, v11] = [0, 0, 0, 0, 0]
  for (let from = 0; from < order.length; ) {
    let to = from
    const died = [0, 0, 0]
    const gone = [0, 0, 0]
    for (; to < order.length && time[order[to]] === time[order[from]]; to++) {
      gone[group[order[to]]]++
      died[group[order[to]]] += event[order[to]]
    }
    const n = order.length - from
    const d = died[0] + died[1] + died[2]
    const [a, b] = [atRisk[0] / n, atRisk[1] / n]
    // The hypergeometric distribution: d of n drawn.
    const spread = n > 1 ? (d * (n - d)) / (n - 1) : 0
    u0 += died[0] - d * a
    u1 += died[1] - d * b
    v00 += spread * a * (1 - a)
    v11 += spread * b * (1 - b)
    v01 -= spread * a * b
    for (const g of [0, 1, 2]) atRisk[g] -= gone[g]
    from = to
  }
  const determinant = v00 * v11 - v01 ** 2
  if (!(determinant > 1e-12 * v00 * v11)) return null
  const statistic = (u0 ** 2 * v11 - 2 * u0 * u1 * v01 + u1 ** 2 * v00) / determinant
  return { statistic, p: Math.exp(-statistic / 2) }
}

/** Thirds of the rows by rising number: 0, 1, 2. Equal numbers are in one third, the lower. */
export function tertiles(values: Float64Array): Uint8Array {
  const sorted = values.slice().sort()
  const end = (third: number) => sorted[Math.ceil((third * sorted.length) / 3) - 1]
  return Uint8Array.from(values, (value) => (value <= end(1) ? 0 : value <= end(2) ? 1 : 2))
}
