/** Rows by time, longest first, in groups of equal times. */
export interface RiskSets {
  order: Uint32Array
  /** Where each group ends in `order`, one past its last row: those before are at risk at the group's time. */
  ends: Uint32Array
}

/** Sorts rows once for every evaluation of the likelihood. `time` > 0 per row, in any unit. */
export function riskSets(time: Float64Array): RiskSets {
  const order = Uint32Array.from(time.keys()).sort((a, b) => time[b] - time[a])
  const ends: number[] = []
  for (let i = 0; i < order.length; i++) {
    if (i + 1 === order.length || time[order[i + 1]] !== time[order[i]]) ends.push(i + 1)
  }
  return { order, ends: Uint32Array.from(ends) }
}

/**
 * −log of Cox's partial likelihood with tied events after Efron (1977): of d events at one time, whose e^score add
 * up to D out of a risk set's S, the l-th is drawn from S − l/d · D. Writes the derivative by each row's score.
 * One pass each way, O(rows). Sums are kept relative to the largest score at risk, so that none can overflow,
 * nor a risk set vanish beside a far larger score that has left it.
 * @param event 1 where the time is that of the event, 0 where it is censored
 */
export function partialLikelihood(
  { order, ends }: RiskSets,
  event: Uint8Array,
  score: Float64Array,
  derivative: Float64Array,
): number {
  const groups = ends.length
  const top = new Float64Array(groups)
  /** Σ over l of 1 / (S − l/d · D), and the same with each term times l/d; both relative to `top`. */
  const hazard = new Float64Array(groups)
  const tied = new Float64Array(groups)
  let loss = 0
  let atRisk = 0
  let highest = Number.NEGATIVE_INFINITY
  for (let g = 0, i = 0; g < groups; g++) {
    const before = highest
    for (let j = i; j < ends[g]; j++) highest = Math.max(highest, score[order[j]])
    atRisk *= Math.exp(before - highest)
    let events = 0
    let dying = 0
    for (; i < ends[g]; i++) {
      const share = Math.exp(score[order[i]] - highest)
      atRisk += share
      if (!event[order[i]]) continue
      events++
      dying += share
      loss -= score[order[i]] - highest
    }
    for (let l = 0; l < events; l++) {
      const left = atRisk - (l / events) * dying
      loss += Math.log(left)
      hazard[g] += 1 / left
      tied[g] += l / events / left
    }
    top[g] = highest
  }

  let lived = 0
  for (let g = groups - 1, i = order.length - 1; g >= 0; g--) {
    // From the shortest time up the largest score at risk only falls.
    if (g + 1 < groups) lived *= Math.exp(top[g] - top[g + 1])
    lived += hazard[g]
    for (const start = g > 0 ? ends[g - 1] : 0; i >= start; i--) {
      const row = order[i]
      const share = Math.exp(score[row] - top[g])
      derivative[row] = share * lived - (event[row] ? 1 + share * tied[g] : 0)
    }
  }
  return loss
}
