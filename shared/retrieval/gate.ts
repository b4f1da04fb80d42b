import type { ProbeChange } from "#shared/cohort/encoder-change.ts"
import { exactIndex } from "./exact.ts"
import { leastRecall } from "./recall.ts"
import type { Gate } from "./snapshot.ts"

/**
 * Of the ten nearest, how much must stay among the series that both snapshots hold (Jaccard). The same encoder gives
 * the same vectors, so anything but 1 says that features changed; below one half an answer is mostly another one.
 * Our own choice: there is no published figure.
 */
const leastOverlap = 0.5

/**
 * How far a probe's AUROC, C-index or R² may fall with the encoder. Our own choice: with 200 labels the interval of the
 * difference is wider, so it is told beside it for somebody to decide.
 */
const mostFall = 0.02

/** Why a snapshot with these measures should not go live; empty when it may. */
export function reasonsAgainst({
  recallAt10,
  unreachable,
  overlapAt10,
  change,
}: Omit<Gate, "reasons">): string[] {
  const reasons: string[] = []
  if (recallAt10 < leastRecall)
    reasons.push(`recall@10 of the graph against exact is ${recallAt10.toFixed(4)}, less than ${leastRecall}`)
  if (unreachable > 0) reasons.push(`${unreachable} series cannot be reached in the graph, whatever is asked`)
  if (overlapAt10 !== null && overlapAt10 < leastOverlap)
    reasons.push(
      `the ten nearest overlap with the live snapshot's by ${overlapAt10.toFixed(3)}, less than ${leastOverlap}: ` +
        "features of the same encoder have changed",
    )
  if (change && change.lost > 0)
    reasons.push(
      `${change.lost} series have features of ${change.from} and none of the new encoder: embed them with it`,
    )
  for (const probe of change?.probes ?? []) {
    const against = reasonAgainst(probe)
    if (against) reasons.push(against)
  }
  return reasons
}

function reasonAgainst({ probe, compared, message }: ProbeChange): string | undefined {
  if (!compared) return `probe ${probe} could not be compared under the two encoders: ${message}`
  const { metric, before, after, low, high } = compared
  if (after - before >= -mostFall) return undefined
  const interval = low === null || high === null ? "" : ` (95 % ${low.toFixed(3)} to ${high.toFixed(3)})`
  return (
    `${metric} of probe ${probe} falls from ${before.toFixed(3)} to ${after.toFixed(3)}, ` +
    `by more than ${mostFall}${interval}`
  )
}

export interface Held {
  dim: number
  /** [count, dim], unit length; row i is the i-th series. */
  vectors: Float32Array
  /** Sorted. */
  series: readonly string[]
}

/**
 * Mean Jaccard index of the ten nearest of a series, exact, in two snapshots, among the series that both hold; over at
 * most 100 of them, spread evenly. Null when they share fewer than two, or have another dim.
 */
export async function overlapAt10(one: Held, other: Held): Promise<number | null> {
  const rowIn = new Map(other.series.map((series, row) => [series, row]))
  const inOne = Uint32Array.from([...one.series.keys()].filter((row) => rowIn.has(one.series[row])))
  if (inOne.length < 2 || one.dim !== other.dim) return null
  const inOther = inOne.map((row) => rowIn.get(one.series[row])!)
  const nearest = async (held: Held, rows: Uint32Array) => {
    const index = await exactIndex(held)
    return async (row: number) => {
      const query = held.vectors.subarray(row * held.dim, (row + 1) * held.dim)
      const { found } = await index.search(query, { k: 11, rows })
      return new Set(found.flatMap((f) => (f.row === row ? [] : [held.series[f.row]])).slice(0, 10))
    }
  }
  const [ofOne, ofOther] = [await nearest(one, inOne), await nearest(other, inOther)]
  const queries = Math.min(100, inOne.length)
  let sum = 0
  for (let q = 0; q < queries; q++) {
    const i = Math.floor((q * inOne.length) / queries)
    const a = await ofOne(inOne[i])
    const b = await ofOther(inOther[i])
    const both = [...a].filter((series) => b.has(series)).length
    sum += both / (a.size + b.size - both)
  }
  return sum / queries
}
