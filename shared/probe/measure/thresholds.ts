import * as z from "zod"
import { descending } from "./metrics.ts"
import { Share, wilson } from "./wilson.ts"

/**
 * What calling a series positive when its probability is above `threshold` would get right. Intervals are by series: if
 * patients have several, they are too narrow.
 */
export const Threshold = z.object({
  /** 0.5; the greatest sensitivity + specificity (Youden 1950); or the best other one while one is at least 0.9. */
  rule: z.enum(["half", "youden", "sensitivity-0.9", "specificity-0.9"]),
  threshold: z.number(),
  sensitivity: Share.nullable(),
  specificity: Share.nullable(),
  /** Shares of those called positive and negative that are; null where none is called so. They hold at the cohort's share of positives only. */
  ppv: Share.nullable(),
  npv: Share.nullable(),
})
export type Threshold = z.infer<typeof Threshold>

/** A place to cut, and how many are above it. */
interface Cut {
  threshold: number
  truePositives: number
  falsePositives: number
}

/**
 * Thresholds of two classes' out-of-fold probabilities, chosen on the very predictions that they are judged on, which
 * flatters all but the half. Those of the last three rules lie midway between two predictions; a rule is left out where only calling everybody, or nobody, positive would meet it.
 */
export function thresholdsOf(truth: Float64Array, probability: Float64Array): Threshold[] {
  const positives = truth.reduce((sum, y) => sum + y, 0)
  const negatives = truth.length - positives
  const cuts = cutsOf(truth, probability)
  const described = (rule: Threshold["rule"], cut: Cut | undefined): Threshold[] => {
    if (!cut) return []
    const { threshold, truePositives, falsePositives } = cut
    const called = truePositives + falsePositives
    return [
      {
        rule,
        threshold,
        sensitivity: wilson(truePositives, positives),
        specificity: wilson(negatives - falsePositives, negatives),
        ppv: wilson(truePositives, called),
        npv: wilson(negatives - falsePositives, truth.length - called),
      },
    ]
  }
  const youden = cuts.reduce<Cut | undefined>((best, cut) => {
    // In whole numbers, so that what is equal does not differ by rounding.
    const j = (of: Cut) => of.truePositives * negatives - of.falsePositives * positives
    return !best || j(cut) > j(best) ? cut : best
  }, undefined)
  return [
    ...described("half", cutAt(truth, probability, 0.5)),
    ...described("youden", youden),
    // From the highest threshold down sensitivity grows and specificity falls.
    ...described(
      "sensitivity-0.9",
      cuts.find((cut) => 10 * cut.truePositives >= 9 * positives),
    ),
    ...described(
      "specificity-0.9",
      cuts.findLast((cut) => 10 * (negatives - cut.falsePositives) >= 9 * negatives),
    ),
  ]
}

function cutAt(truth: Float64Array, probability: Float64Array, threshold: number): Cut {
  const above = (kind: number) =>
    truth.reduce((sum, y, row) => sum + (y === kind && probability[row] > threshold ? 1 : 0), 0)
  return { threshold, truePositives: above(1), falsePositives: above(0) }
}

/** One between each two neighboring probabilities, highest first. */
function cutsOf(truth: Float64Array, probability: Float64Array): Cut[] {
  const order = descending(probability)
  const cuts: Cut[] = []
  let truePositives = 0
  let falsePositives = 0
  for (let i = 0; i + 1 < order.length; i++) {
    if (truth[order[i]] === 1) truePositives++
    else falsePositives++
    const [here, next] = [probability[order[i]], probability[order[i + 1]]]
    if (here === next) continue
    const middle = (here + next) / 2
    cuts.push({ threshold: middle < here ? middle : next, truePositives, falsePositives })
  }
  return cuts
}
