import { Fault } from "#shared/errors.ts"
import { sha256 } from "#shared/ids.ts"
import { putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { methodOf, targetOf } from "../as-asked.ts"
import { outerFolds } from "../measure/evaluate.ts"
import { workersFor } from "../measure/threads.ts"
import { getProbe } from "../predict.ts"
import type { Note, ProbeRecord } from "../record.ts"
import { needed, type Study } from "../study/rows.ts"
import { rowsOf, type Split } from "../study/split.ts"
import { type ReadStudy, readStudy } from "../study/study.ts"
import { curveChart } from "./chart.ts"
import { curvePoints } from "./points.ts"
import { CurveRequest, curveFile, curvePlot, LearningCurve } from "./record.ts"
import { sizesOf } from "./sizes.ts"

export interface LearningCurveOptions extends CurveRequest {
  now: Date
  onProgress?: (progress: { done: number; total: number; message: string }) => void
}

/**
 * How well a probe does by the number of patients it learns from: a version's labels, method and folds, with less and
 * less to learn from. Kept beside the version as JSON and SVG, in place of an earlier one.
 * @throws Fault `no-such-probe`, `no-such-version`, `bad-sizes`, `wrong-encoder`, and those of `fitProbe` where the cohort has changed
 */
export async function learningCurve(
  objects: ObjectStore,
  options: LearningCurveOptions,
): Promise<LearningCurve> {
  const { now, onProgress } = options
  const { name, version, sizes: asked, repeats } = CurveRequest.parse(options)
  const probe = await getProbe(objects, name, version)
  const { cohort, folds, seed, split } = probe.training
  const read = await readStudy(objects, {
    cohort,
    target: targetOf(probe),
    pooling: probe.pooling,
    onRead: (done, total) => onProgress?.({ done, total, message: "reading features" }),
  })
  const { study, patients } = read
  checkEncoder(probe, read)
  const dealt = outerFolds(study, { folds, seed })
  const { sizes, notes } = sizesOf(asked, leastOf(study), smallestPart(study, dealt))

  const workers = workersFor(study.table, (sizes.length * repeats + 1) * dealt.folds)
  const { points, choices } = await curvePoints(study, {
    dealt,
    sizes,
    repeats,
    method: methodOf(probe),
    seed,
    workers,
    onTrial: (done, total) => onProgress?.({ done, total, message: "learning" }),
  }).finally(workers.close)

  const ofPoints = ({ name }: { name: string }) => points[0].metrics.some((metric) => metric.name === name)
  const curve = LearningCurve.parse({
    format: "voxkin-learning-curve-1",
    name,
    version: probe.version,
    cohort,
    split,
    folds: dealt.folds,
    seed,
    tested: patients.count,
    points,
    baseline: probe.baseline.filter(ofPoints),
    nearest: probe.nearest.filter(ofPoints),
    notes: [
      ...read.notes,
      ...notes,
      ...changed(probe, read),
      ...blindly(
        probe,
        choices.map(({ by }) => by),
      ),
    ],
    createdAt: now.toISOString(),
  })
  const plot = new TextEncoder().encode(curveChart(curve))
  await objects.put(keys.probePart(name, probe.version, curvePlot), plot)
  await putJson(objects, keys.probePart(name, probe.version, curveFile), curve)
  return curve
}

/** Two patients of each class, or with the event and without; and no fewer than a probe takes. */
function leastOf({ kind, stratum }: Study): number {
  return Math.max(4, 2 * needed(kind, stratum).size)
}

function smallestPart(study: Study, dealt: Split): number {
  const counts = Array.from({ length: dealt.folds }, (_, fold) => {
    const { train } = rowsOf(dealt, fold)
    return new Set(Array.from(train, (row) => study.group[row])).size
  })
  return Math.min(...counts)
}

function checkEncoder({ name, encoder }: ProbeRecord, { encoder: now }: ReadStudy): void {
  if (encoder.id === now.id && encoder.digest === now.digest && encoder.recipeDigest === now.recipeDigest)
    return
  const message = `the cohort's features are now of encoder ${now.id}, not of ${encoder.id} that probe ${name} was fitted on: fit it again`
  throw new Fault("conflict", "wrong-encoder", message)
}

function changed({ name, version, training }: ProbeRecord, { series }: ReadStudy): Note[] {
  if (sha256([...series].sort().join("\n")) === training.seriesDigest) return []
  const message = `the labelled series of ${training.cohort} are no longer those that ${name} ${version} was fitted on: the curve is of those of now`
  return [{ code: "cohort-changed", message }]
}

function blindly({ choice }: ProbeRecord, by: string[]): Note[] {
  const count = by.filter((how) => how === "default").length
  if (count === 0) return []
  const message = `in ${count} of ${by.length} trials there were too few patients to choose the ${choice.of} by cross-validation: the default was used there`
  return [{ code: `${choice.of}-by-default`, message }]
}
