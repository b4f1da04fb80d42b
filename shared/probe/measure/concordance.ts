import { riskSets } from "../head/partial-likelihood.ts"

/**
 * Harrell's C (1982): of the pairs of whom one is known to have had the event first, the share in which that one has
 * the higher risk; equal risks count half. A pair counts if the shorter time is an event; at equal times an event
 * against a censored one counts, two events do not. O(rows · log rows) per call of the function that is returned,
 * which takes a weight per row (a pair weighs their product) and gives NaN where no pair counts.
 */
export function concordance(
  time: Float64Array,
  event: Uint8Array,
  risk: Float64Array,
): (weight?: ArrayLike<number>) => number {
  const { order, ends } = riskSets(time)
  const { rank, ranks } = ranked(risk)

  return (weight) => {
    // Of those who outlive the group in hand: their weight at each rank, and a Fenwick tree over it for sums.
    const tied = new Float64Array(ranks)
    const tree = new Float64Array(ranks + 1)
    let outliving = 0
    let right = 0
    let pairs = 0
    const add = (row: number) => {
      const w = weight ? weight[row] : 1
      if (w === 0) return
      outliving += w
      tied[rank[row]] += w
      for (let i = rank[row] + 1; i <= ranks; i += i & -i) tree[i] += w
    }
    const below = (row: number) => {
      let sum = 0
      for (let i = rank[row]; i > 0; i -= i & -i) sum += tree[i]
      return sum
    }
    for (let g = 0, from = 0; g < ends.length; from = ends[g++]) {
      const group = order.subarray(from, ends[g])
      for (const row of group) if (!event[row]) add(row)
      for (const row of group) {
        const w = weight ? weight[row] : 1
        if (!event[row] || w === 0) continue
        right += w * (below(row) + tied[rank[row]] / 2)
        pairs += w * outliving
      }
      for (const row of group) if (event[row]) add(row)
    }
    return right / pairs
  }
}

/** The place of each value among the distinct ones, lowest first, from 0. */
function ranked(values: Float64Array): { rank: Uint32Array; ranks: number } {
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a] - values[b])
  const rank = new Uint32Array(values.length)
  let last = 0
  for (let i = 1; i < order.length; i++) {
    if (values[order[i]] !== values[order[i - 1]]) last++
    rank[order[i]] = last
  }
  return { rank, ranks: last + 1 }
}
