import * as z from "zod"
import type { Problem } from "../head/problem.ts"
import { logisticLine } from "./logistic-line.ts"
import { predictedClass } from "./score.ts"
import { softmaxScale } from "./softmax-scale.ts"
import { Share, wilson } from "./wilson.ts"

/** How well out-of-fold probabilities are met by what happens. */
export const Reliability = z.object({
  /** Whose probability: of two classes the second's, of more the likeliest's. */
  of: z.enum(["second class", "likeliest class"]),
  /**
   * The slope and intercept that the log-odds would need (Cox 1958): 1 and 0 when calibrated, a slope below 1 when the
   * probabilities are too sure. Of more than two classes the slope of the log-probabilities, and no intercept. Null where they are not defined:
   * all predictions rightly ordered, all the same, or of exactly 0 or 1.
   */
  slope: z.number().nullable(),
  intercept: z.number().nullable(),
  /** Expected calibration error (Naeini et al. 2015) over the bins of the curve: above 0 by chance alone, and more so the fewer the series. */
  error: z.number(),
  /** About ten bins of equally many series, by rising probability; equal probabilities are in one bin. */
  curve: z.array(
    z.object({
      /** The mean of the probabilities, and the share of series that they came true for, with Wilson's interval by series. */
      predicted: z.number(),
      observed: Share,
      count: z.int(),
    }),
  ),
})
export type Reliability = z.infer<typeof Reliability>

const bins = 10

/** @param outputs out-of-fold probabilities, [rows, outputs] */
export function reliability({ target, outputs: width }: Problem, outputs: Float64Array): Reliability {
  const two = width === 1
  const chosen = predictedClass(outputs, width)
  const p = two ? outputs : chosen.map((k, row) => outputs[row * width + k])
  const came = two ? target : target.map((truth, row) => (truth === chosen[row] ? 1 : 0))
  const curve = curveOf(p, came)
  return {
    of: two ? "second class" : "likeliest class",
    ...(two
      ? recalibration(outputs, target)
      : { slope: classSlope(outputs, target, width), intercept: null }),
    error: curve.reduce(
      (sum, { predicted, observed, count }) =>
        sum + (count / p.length) * Math.abs(predicted - observed.value),
      0,
    ),
    curve,
  }
}

function curveOf(p: Float64Array, came: Float64Array): Reliability["curve"] {
  const order = Uint32Array.from(p.keys()).sort((a, b) => p[a] - p[b])
  const curve: Reliability["curve"] = []
  let from = 0
  for (let bin = 1; bin <= bins; bin++) {
    // To the end that an even deal has, and then on to where the probability changes.
    let to = Math.round((bin * order.length) / bins)
    if (to <= from) continue
    while (to < order.length && p[order[to]] === p[order[to - 1]]) to++
    const rows = order.subarray(from, to)
    const sum = (values: Float64Array) => rows.reduce((total, row) => total + values[row], 0)
    const observed = wilson(sum(came), rows.length)
    if (observed) curve.push({ predicted: sum(p) / rows.length, observed, count: rows.length })
    from = to
  }
  return curve
}

const nothing = { slope: null, intercept: null }

function recalibration(p: Float64Array, truth: Float64Array) {
  if (p.some((x) => x <= 0 || x >= 1) || !overlap(p, truth)) return nothing
  return logisticLine(
    p.map((x) => Math.log(x) - Math.log1p(-x)),
    truth,
  )
}

/** Whether some negative lies above some positive, and the other way round: else the likelihood has no maximum. */
function overlap(p: Float64Array, truth: Float64Array): boolean {
  const range = (kind: number) => {
    const own = p.filter((_, row) => truth[row] === kind)
    return { low: own.reduce((a, b) => Math.min(a, b), 1), high: own.reduce((a, b) => Math.max(a, b), 0) }
  }
  const [negative, positive] = [range(0), range(1)]
  return negative.high > positive.low && positive.high > negative.low
}

/** Likewise of many classes; there is a maximum if the true class is not always a likeliest one, nor always a least likely one. */
function classSlope(p: Float64Array, truth: Float64Array, width: number): number | null {
  if (p.some((x) => x <= 0)) return null
  const rowOf = (row: number) => p.subarray(row * width, (row + 1) * width)
  const some = (holds: (row: Float64Array, own: number) => boolean) =>
    truth.some((k, row) => holds(rowOf(row), p[row * width + k]))
  const bounded = some((row, own) => own < Math.max(...row)) && some((row, own) => own > Math.min(...row))
  return bounded ? softmaxScale(p.map(Math.log), width, (row, k) => (truth[row] === k ? 1 : 0)) : null
}
