import { predictedClass } from "../measure/score.ts"
import { type ClassificationRecord, captionOf, twoPlaces } from "./caption.ts"
import { figure } from "./figure.ts"
import { histogramOver } from "./histogram.ts"
import type { Mark } from "./marks.ts"
import { grey, palette } from "./palette.ts"
import type { Plotted } from "./plotted.ts"
import { diagonal } from "./roc.ts"

/** The calibration curve of out-of-fold probabilities, and how often each probability was said. */
export function calibrationPlot(record: ClassificationRecord, { study, outOfFold }: Plotted): string {
  const { outputs: width } = study
  const { reliability, classes, label } = record
  const two = width === 1
  const said = two ? outOfFold : predictedClass(outOfFold, width).map((k, row) => outOfFold[row * width + k])
  const x = {
    label: `predicted probability ${two ? `of ${classes[1].name}` : "of the likeliest class"}`,
    from: 0,
    to: 1,
  }
  const { curve, error, slope, intercept } = reliability
  const points = curve.map(({ predicted, observed }) => ({ x: predicted, y: observed.value }))
  const whiskers = curve.map(({ predicted, observed: { low, high } }) => ({ x: predicted, low, high }))
  const marks: Mark[] = [
    { kind: "line", color: grey, dashed: true, width: 1.2, points: diagonal, name: "perfectly calibrated" },
    { kind: "line", color: palette[0], width: 1.5, points },
    { kind: "whiskers", color: palette[0], points: whiskers },
    {
      kind: "dots",
      color: palette[0],
      points,
      name: "bins of about equally many series, Wilson's 95 % interval by series",
    },
  ]
  const numbers = [
    `expected calibration error ${error.toFixed(3)}`,
    ...(slope === null ? [] : [`slope ${twoPlaces(slope)}`]),
    ...(intercept === null ? [] : [`intercept ${twoPlaces(intercept)}`]),
  ]
  const remark = slope === null ? "" : ` (calibrated: ${intercept === null ? "1" : "1 and 0"})`
  return figure({
    ...captionOf(record, `Calibration of '${label}'`),
    panels: [
      { x, y: { label: "share it came true for", from: 0, to: 1 }, marks },
      histogramOver(x, said, 0.05, palette[5]),
    ],
    remarks: [`${numbers.join(", ")}${remark}`],
  })
}
