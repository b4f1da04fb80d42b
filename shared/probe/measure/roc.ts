import { auroc, descending, ranked } from "./metrics.ts"

/** A corner of an ROC curve: the shares of negatives and of positives called positive. */
export interface RocPoint {
  falsePositives: number
  truePositives: number
}

/** The corners of the ROC curve from (0, 0) to (1, 1); equal scores make one slanted stretch. */
export function rocCurve(positive: Uint8Array, score: Float64Array): RocPoint[] {
  const order = descending(score)
  const positives = positive.reduce((sum, p) => sum + p, 0)
  const negatives = positive.length - positives
  const corners: [number, number][] = [[0, 0]]
  let [n, p] = [0, 0]
  for (let i = 0; i < order.length; i++) {
    if (positive[order[i]]) p++
    else n++
    if (i + 1 < order.length && score[order[i + 1]] === score[order[i]]) continue
    const [before, last] = corners.slice(-2)
    // On the way straight on, the corner before was none.
    const straight = last && (last[0] - before[0]) * (p - last[1]) === (last[1] - before[1]) * (n - last[0])
    if (straight) corners.pop()
    corners.push([n, p])
  }
  return corners.map(([n, p]) => ({ falsePositives: n / negatives, truePositives: p / positives }))
}

/** The share of positives called positive at a share of negatives; on an upright stretch its upper end. */
function heightAt(curve: RocPoint[], at: number): number {
  const next = curve.findIndex(({ falsePositives }) => falsePositives > at)
  if (next === -1) return 1
  const [a, b] = [curve[next - 1], curve[next]]
  const along = (at - a.falsePositives) / (b.falsePositives - a.falsePositives)
  return a.truePositives + along * (b.truePositives - a.truePositives)
}

export interface ClassRoc {
  k: number
  auroc: number
  curve: RocPoint[]
}

/**
 * One curve per class against all others, and their mean at each share of false positives (Fawcett 2006), whose area is
 * the macro AUROC.
 * @param outputs probabilities, [rows, classes]
 */
export function classRocs(truth: Float64Array, outputs: Float64Array, classes: number) {
  const each = Array.from({ length: classes }, (_, k): ClassRoc => {
    const positive = Uint8Array.from(truth, (y) => (y === k ? 1 : 0))
    const score = truth.map((_, row) => outputs[row * classes + k])
    return { k, auroc: auroc(ranked(positive, score)), curve: rocCurve(positive, score) }
  })
  const macro = Array.from({ length: 201 }, (_, i): RocPoint => {
    const falsePositives = i / 200
    const heights = each.map(({ curve }) => heightAt(curve, falsePositives))
    return { falsePositives, truePositives: heights.reduce((sum, h) => sum + h, 0) / classes }
  })
  return { each, macro }
}
