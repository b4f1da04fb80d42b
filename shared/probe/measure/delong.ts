import type { Interval } from "./bootstrap.ts"
import { auroc, ranked } from "./metrics.ts"
import { normal975 } from "./wilson.ts"

/**
 * The 95 % interval of the AUROC by the normal distribution and DeLong, DeLong and Clarke-Pearson's (1988) standard
 * error; with several rows of one group (a patient) by Obuchowski's (1997), which is the same where each group has one
 * row. Placements come from midranks (Sun and Xu 2014): O(rows · log rows). Cut off at 0 and 1.
 * Null where it would lie: at an AUROC of 0 or 1 or with nothing but ties the error comes out as 0; and with positives,
 * or negatives, of one group only nothing is known of how groups differ.
 */
export function delong(positive: Uint8Array, score: Float64Array, group: Uint32Array): Interval | null {
  const area = auroc(ranked(positive, score))
  const variance = varianceOf(positive, score, group, area)
  if (!(variance > 1e-20)) return null
  const half = normal975 * Math.sqrt(variance)
  return { low: Math.max(0, area - half), high: Math.min(1, area + half) }
}

function varianceOf(positive: Uint8Array, score: Float64Array, group: Uint32Array, area: number): number {
  const placed = placements(positive, score)
  const groups = group.reduce((most, g) => Math.max(most, g + 1), 0)
  // Per group and kind, what its rows' placements have more than if each were the area.
  const above = [new Float64Array(groups), new Float64Array(groups)]
  const count = [new Uint32Array(groups), new Uint32Array(groups)]
  for (const [row, g] of group.entries()) {
    above[positive[row]][g] += placed[row] - area
    count[positive[row]][g]++
  }
  const spread = (kind: 0 | 1) => {
    const having = count[kind].reduce((sum, n) => sum + (n > 0 ? 1 : 0), 0)
    const rows = count[kind].reduce((sum, n) => sum + n, 0)
    return ((having / (having - 1)) * squares(above[kind], above[kind])) / rows ** 2
  }
  const everyone = count[0].reduce((sum, n, g) => sum + (n + count[1][g] > 0 ? 1 : 0), 0)
  const together = (everyone / (everyone - 1)) * squares(above[0], above[1])
  const pairs = positive.reduce((sum, p) => sum + p, 0) * positive.reduce((sum, p) => sum + 1 - p, 0)
  return spread(1) + spread(0) + (2 * together) / pairs
}

function squares(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i], 0)
}

/** Of each positive the share of negatives below it, of each negative that of positives above it; ties count half. */
function placements(positive: Uint8Array, score: Float64Array): Float64Array {
  const order = Uint32Array.from(score.keys()).sort((a, b) => score[a] - score[b])
  const all = midranks(order, score)
  const own = [0, 1].map((kind) =>
    midranks(
      order.filter((row) => positive[row] === kind),
      score,
    ),
  )
  const size = [0, 1].map((kind) => positive.reduce((sum, p) => sum + (p === kind ? 1 : 0), 0))
  return score.map((_, row) => {
    const below = (all[row] - own[positive[row]][row]) / size[1 - positive[row]]
    return positive[row] ? below : 1 - below
  })
}

/** The place of each row in the order, from 1; of equal scores the mean of theirs. By row number. */
function midranks(order: Uint32Array, score: Float64Array): Float64Array {
  const rank = new Float64Array(score.length)
  for (let from = 0; from < order.length; ) {
    let to = from + 1
    while (to < order.length && score[order[to]] === score[order[from]]) to++
    for (const row of order.subarray(from, to)) rank[row] = (from + 1 + to) / 2
    from = to
  }
  return rank
}
