import type { Note } from "../record.ts"
import type { Acquisition } from "../study/acquisition.ts"
import type { Study } from "../study/rows.ts"
import { crossValidate, outerFolds } from "./evaluate.ts"
import { type Metric, mainOf, score } from "./score.ts"

/** Weak, for the loss is a sum over series: a label that is given away is given away by a clear rule. */
const weakPenalty = 1
/** What acquisition alone must reach to be a leak whatever the features reach: an AUROC or C-index, or R². */
const nearPerfect = { rank: 0.95, r2: 0.9 }
/** Of what the features tell beyond the trivial predictor: a leak tells as much by itself, or nearly. */
const nearlyAll = 0.9

/**
 * The metrics of a linear head that reads how each series was acquired, and nothing of its features, in the same
 * folds: none where all were acquired alike.
 */
export async function acquisitionAlone(
  study: Study,
  acquisition: Acquisition | undefined,
  { folds, seed }: { folds: number; seed: number },
): Promise<Metric[]> {
  if (!acquisition) return []
  const method = { kind: "linear", penalty: weakPenalty } as const
  const dealt = outerFolds(study, { folds, seed })
  const { outOfFold } = await crossValidate({ ...study, table: acquisition.table }, dealt, { seed, method })
  return score(study, outOfFold, study.group, seed)
}

/** Whether the label is given away by the acquisition: it alone is nearly perfect, or tells nearly what the features do. */
export function leakNotes(metrics: Metric[], alone: Metric[], from: string[]): Note[] {
  const [own, given] = [mainOf(metrics), mainOf(alone)]
  if (!own || !given) return []
  const trivial = own.name === "r2" ? 0 : 0.5
  const perfect = given.value > (own.name === "r2" ? nearPerfect.r2 : nearPerfect.rank)
  const shown = given.low !== null && given.low > trivial
  const asGood = given.value - trivial >= nearlyAll * (own.value - trivial)
  if (!perfect && !(shown && asGood)) return []
  return [
    {
      code: "leak-acquisition",
      message:
        `how the series were acquired (${from.join(", ")}) alone reaches ${own.name} ${given.value.toFixed(2)}, and the ` +
        `features ${own.value.toFixed(2)}: the label may be given away by the scanner or the extent of the scan`,
    },
  ]
}
