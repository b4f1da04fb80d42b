import { classRocs, type RocPoint, rocCurve } from "../measure/roc.ts"
import type { Threshold } from "../measure/thresholds.ts"
import { type ClassificationRecord, captionOf, withInterval } from "./caption.ts"
import { figure } from "./figure.ts"
import type { Mark, Point } from "./marks.ts"
import { grey, palette } from "./palette.ts"
import type { Plotted } from "./plotted.ts"

/** More curves than this are not told apart. */
const mostCurves = 7

/**
 * The ROC curve with the thresholds of the record on it; of more than two classes one curve per class against all
 * others, the most frequent ones, and the mean of all.
 */
export function rocPlot(record: ClassificationRecord, { study, outOfFold }: Plotted): string {
  const two = study.outputs === 1
  const drawn = two
    ? twoClasses(record, study.target, outOfFold)
    : manyClasses(record, study.target, outOfFold)
  const chance: Mark = { kind: "line", color: grey, dashed: true, width: 1.2, points: diagonal }
  return figure({
    ...captionOf(record, `ROC of '${record.label}'${two ? ` = ${record.classes[1].name}` : ""}`),
    panels: [
      {
        x: { label: "share of negatives called positive (1 − specificity)", from: 0, to: 1 },
        y: { label: "share of positives found (sensitivity)", from: 0, to: 1 },
        marks: [chance, ...drawn.marks],
      },
    ],
    remarks: drawn.remarks,
    size: { width: 460, height: 460 },
  })
}

export const diagonal: Point[] = [
  { x: 0, y: 0 },
  { x: 1, y: 1 },
]

function twoClasses({ metrics, thresholds }: ClassificationRecord, truth: Float64Array, p: Float64Array) {
  const area = metrics.find(({ name }) => name === "auroc")
  const name = area ? `AUROC ${withInterval(area)}` : "ROC"
  const marks: Mark[] = [
    { kind: "line", color: palette[0], name, points: pointsOf(rocCurve(Uint8Array.from(truth), p)) },
    ...thresholds.flatMap((threshold, i): Mark[] => {
      const { sensitivity, specificity } = threshold
      if (!sensitivity || !specificity) return []
      const points = [{ x: 1 - specificity.value, y: sensitivity.value }]
      // Larger ones first: those that fall on one place are rings around each other.
      return [{ kind: "dots", color: palette[i + 1], radius: 8 - 1.6 * i, points, name: wordsOf(threshold) }]
    }),
  ]
  const { low, high } = area?.delong ?? {}
  const delong =
    low === undefined ? [] : [`DeLong's interval of the AUROC: [${low.toFixed(2)}, ${high?.toFixed(2)}]`]
  return { marks, remarks: [...delong, "thresholds were chosen on these same predictions"] }
}

const rules: Record<Threshold["rule"], string> = {
  half: "one half",
  youden: "Youden's J",
  "sensitivity-0.9": "sensitivity ≥ 0.9",
  "specificity-0.9": "specificity ≥ 0.9",
}

function wordsOf({ rule, threshold, sensitivity, specificity }: Threshold): string {
  const [found, spared] = [sensitivity, specificity].map((share) => share?.value.toFixed(2))
  return `above ${threshold.toPrecision(2)} (${rules[rule]}): sensitivity ${found}, specificity ${spared}`
}

function manyClasses({ classes, metrics }: ClassificationRecord, truth: Float64Array, outputs: Float64Array) {
  const { each, macro } = classRocs(truth, outputs, classes.length)
  const shown = [...each].sort((a, b) => classes[b.k].count - classes[a.k].count).slice(0, mostCurves)
  const area = metrics.find(({ name }) => name === "macro-auroc")
  const left = each.length - shown.length
  const marks: Mark[] = [
    ...shown.map(({ k, auroc, curve }, i): Mark => {
      const name = `${classes[k].name}: AUROC ${auroc.toFixed(2)}`
      return { kind: "line", color: palette[i], width: 1.5, name, points: pointsOf(curve) }
    }),
    {
      kind: "line",
      color: palette[mostCurves],
      dashed: true,
      name: `mean of all: AUROC ${area ? withInterval(area) : ""}`,
      points: pointsOf(macro),
    },
  ]
  const also = left > 0 ? [`${left} rarer classes are in the mean and not drawn`] : []
  return { marks, remarks: ["each class against all others", ...also] }
}

function pointsOf(curve: RocPoint[]): Point[] {
  return curve.map(({ falsePositives, truePositives }) => ({ x: falsePositives, y: truePositives }))
}
