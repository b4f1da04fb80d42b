import * as z from "zod"
import { Fault } from "#shared/errors.ts"
import type { Features } from "#shared/features/features.ts"
import { SeriesId } from "#shared/ids.ts"
import { apply, type Triple } from "#shared/volume/affine.ts"
import type { LinearHead } from "../head/linear.ts"
import { Answer, type Probe, predictPooled } from "../predict.ts"
import { type ProbePooling, type ProbeRecord, ProbeVersion } from "../record.ts"
import { negated, type Terms, termsOf } from "./terms.ts"

/** As many patches are listed for and against. */
const mostListed = 10

const triple = z.tuple([z.number(), z.number(), z.number()])

/** A patch and what it adds to the score. */
const Spot = z.object({
  /** On the grid, [z, y, x]. */
  patch: triple,
  /** Its centre in patient mm (x, y, z), LPS: towards the left, the back, the head. */
  patient: triple,
  contribution: z.number(),
})
export type Spot = z.infer<typeof Spot>

/** Where the score of a linear probe comes from: score = intercept + cls + patches. No segmentation, no proof of cause. */
export const Explanation = z.object({
  series: SeriesId,
  probe: z.string(),
  version: ProbeVersion,
  prediction: Answer,
  /** What the score is of, in words. */
  of: z.string(),
  /**
   * Of score and contributions: "log-odds" of the answered class (of more than two classes against the geometric mean of
   * them all), the unit of the numbers, or "log-hazard", relative to the mean training series.
   */
  unit: z.string(),
  /** Whether the probe's probabilities are made of this very score, or of one that calibration changed after it. */
  beforeCalibration: z.boolean(),
  score: z.number(),
  intercept: z.number(),
  /** What the CLS token adds, which is of no place; null for a probe that does not read it. */
  cls: z.number().nullable(),
  /** What all patches add together. */
  patches: z.number(),
  /** |cls| / (|cls| + |patches|) */
  clsShare: z.number(),
  /** Patches along [z, y, x]. */
  grid: triple,
  /** −1 where the answer, a number or a risk, lies below the intercept, so that what lowers it speaks for it; else 1. */
  towards: z.literal([1, -1]),
  /** The patches that speak most for the answer, and most against it; strongest first. */
  for: z.array(Spot),
  against: z.array(Spot),
})
export type Explanation = z.infer<typeof Explanation>

/** What an explanation is made from; one that cannot be made is refused before anything is encoded. */
export interface Explainable extends Probe {
  head: LinearHead
  record: ProbeRecord & { pooling: Exclude<ProbePooling, "cls"> }
}

/** @throws Fault `invalid` / `not-linear`, `no-places` for a probe whose score is no sum over patches */
export function explainable({ record, head }: Probe): Explainable {
  const { name, pooling } = record
  if (head.kind === "knn") {
    throw new Fault(
      "invalid",
      "not-linear",
      `probe ${name} answers by its neighbors, so its answer is no sum over places: probe predict names the neighbors, ` +
        "or fit a linear probe",
    )
  }
  if (pooling === "cls") {
    throw new Fault(
      "invalid",
      "no-places",
      `probe ${name} reads the CLS token alone, which is of no place: fit it with pooling mean or both`,
    )
  }
  return { record: { ...record, pooling }, head }
}

/**
 * Takes the probe's answer for a series apart.
 * @returns the explanation, and what each patch adds, [gz · gy · gx]
 * @throws Fault `wrong-encoder`, `not-finite`
 */
export function explain(
  probe: Explainable,
  features: Features,
): { explanation: Explanation; contributions: Float64Array } {
  const { record, head } = probe
  const { series, prediction } = predictPooled(probe, features)
  const k = answered(record, prediction)
  const { score, intercept, cls, patches: contributions } = termsOfOutput(probe, features, k)
  const patches = contributions.reduce((sum, c) => sum + c, 0)
  const towards = record.task !== "classification" && score < intercept ? -1 : 1
  const order = [...contributions.keys()].sort((a, b) => towards * (contributions[b] - contributions[a]))
  const spots = (ps: number[], sign: number) =>
    ps
      .slice(0, mostListed)
      .filter((p) => sign * towards * contributions[p] > 0)
      .map((p) => spotOf(p, features, contributions))
  const explanation: Explanation = {
    series,
    probe: record.name,
    version: record.version,
    prediction,
    ...scoreOf(record, k),
    beforeCalibration: head.kind !== "cox" && head.calibration !== undefined,
    score,
    intercept,
    cls,
    patches,
    clsShare: Math.abs(cls ?? 0) / (Math.abs(cls ?? 0) + Math.abs(patches) || 1),
    grid: [...features.grid],
    towards,
    for: spots(order, 1),
    against: spots([...order].reverse(), -1),
  }
  return { explanation, contributions }
}

/** The number of the answered class; 0 of a number or a risk, which are the only output of their head. */
function answered(record: ProbeRecord, answer: Answer): number {
  if (record.task !== "classification" || !("label" in answer)) return 0
  return record.classes.findIndex(({ name }) => name === answer.label)
}

/** A logistic head has one score for two classes: that of the second. */
function termsOfOutput({ record, head }: Explainable, features: Features, k: number): Terms {
  if (head.kind !== "logistic") return termsOf(head, features, record.pooling, k)
  const second = termsOf(head, features, record.pooling)
  return k === 1 ? second : negated(second)
}

function scoreOf(record: ProbeRecord, k: number): { of: string; unit: string } {
  if (record.task === "survival") return { of: `the risk of '${record.event}'`, unit: "log-hazard" }
  if (record.task === "classification")
    return { of: `'${record.label}' = ${record.classes[k].name}`, unit: "log-odds" }
  return { of: `'${record.label}'`, unit: record.unit ?? `units of '${record.label}'` }
}

function spotOf(p: number, { grid, receipt }: Features, contributions: Float64Array): Spot {
  const patch = placeOnGrid(p, grid)
  return { patch: [...patch], patient: apply(receipt.gridToPatient, patch), contribution: contributions[p] }
}

/** [z, y, x] of the p-th patch in C order. */
function placeOnGrid(p: number, [, gy, gx]: Triple): Triple {
  return [Math.floor(p / (gy * gx)), Math.floor(p / gx) % gy, p % gx]
}
