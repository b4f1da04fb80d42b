import { z } from "zod"
import { mapBounded, storeConcurrency } from "#shared/cohort/bounded.ts"
import { getCohort } from "#shared/cohort/cohort.ts"
import { memberSeries, type Scalar } from "#shared/cohort/members.ts"
import { type Predictions, predictionColumn, putPredictions } from "#shared/cohort/predictions.ts"
import { Fault } from "#shared/errors.ts"
import { readPooled } from "#shared/features/keep.ts"
import { CohortName, ProbeName } from "#shared/ids.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { type Answer, ofOneSeries, openProbe, type Probe, predictPooled } from "./predict.ts"

export const PredictRequest = z.strictObject({
  cohort: CohortName,
  probes: z.array(ProbeName).min(1).max(100),
})
export type PredictRequest = z.infer<typeof PredictRequest>

export const PredictedCohort = z.object({
  cohort: CohortName,
  /** Members of the cohort, and how many of them have no features that could be read. */
  members: z.int(),
  missing: z.int(),
  probes: z.array(
    z.object({
      probe: ProbeName,
      version: z.string(),
      /** Series with an answer. */
      answered: z.int(),
      /** What searches will call it, from the next publish on. */
      columns: z.array(z.string()),
    }),
  ),
})
export type PredictedCohort = z.infer<typeof PredictedCohort>

interface Options {
  now: Date
  onProgress?: (progress: { done: number; total: number; message: string }) => void
}

/**
 * What each probe says of every member of a cohort; each features file is read once for all of them. The answers are
 * kept, and the next publish makes them columns that a filter can name. A series without an answer stays without.
 * @throws Fault `no-such-cohort`, `no-such-probe`, `corrupt-probe`; `conflict` / `wrong-encoder`
 */
export async function predictCohort(
  objects: ObjectStore,
  { cohort, probes: names }: PredictRequest,
  { now, onProgress }: Options,
): Promise<PredictedCohort> {
  const { encoder } = await getCohort(objects, cohort)
  const probes = await mapBounded([...new Set(names)], storeConcurrency, (name) => openProbe(objects, name))
  for (const { record } of probes) {
    if (record.encoder.id === encoder) continue
    const message = `probe ${record.name} was fitted on features of ${record.encoder.id}, cohort ${cohort} has ${encoder}`
    throw new Fault("conflict", "wrong-encoder", `${message}: fit a probe on this cohort`)
  }
  const said = probes.map(({ record: { name: probe, version } }): Predictions => {
    return { probe, version, encoder, at: now.toISOString(), columns: {} }
  })
  const series = await memberSeries(objects, cohort)
  let missing = 0
  let done = 0
  await mapBounded(series, storeConcurrency, async (id) => {
    const answers = await answersFor(objects, probes, encoder, id)
    if (!answers) missing++
    for (const [i, answer] of (answers ?? []).entries())
      if (answer) note(said[i], id, labelled(answer, probes[i]), answer)
    if (++done % 256 === 0) onProgress?.({ done, total: series.length, message: "predicting" })
  })
  for (const one of said) await putPredictions(objects, cohort, one)
  return {
    cohort,
    members: series.length,
    missing,
    probes: said.map(({ probe, version, columns }) => ({
      probe,
      version,
      answered: Object.keys(columns[predictionColumn(probe)] ?? {}).length,
      columns: Object.keys(columns),
    })),
  }
}

/** One per probe; undefined where a series has no features, or damaged ones: it does not stop the others. */
async function answersFor(objects: ObjectStore, probes: readonly Probe[], encoder: string, series: string) {
  const forgiving = <T>(thrown: T) => {
    if (!(thrown instanceof Fault && ofOneSeries.includes(thrown.code))) throw thrown
    return undefined
  }
  const pooled = await readPooled(objects, encoder, series).catch(forgiving)
  if (!pooled) return undefined
  return probes.map((probe) => {
    try {
      return predictPooled(probe, pooled).prediction
    } catch (thrown) {
      return forgiving(thrown)
    }
  })
}

/** A class as its label was given, true and false as booleans; a value; or a risk. */
function labelled(answer: Answer, { record }: Probe): string | number | boolean {
  if ("risk" in answer) return answer.risk
  if ("value" in answer) return answer.value
  const boolean =
    record.task === "classification" &&
    record.classes.every(({ name }) => name === "true" || name === "false")
  return boolean ? answer.label === "true" : answer.label
}

function note({ probe, columns }: Predictions, series: string, value: Scalar, answer: Answer): void {
  const set = (column: string, value: Scalar) => {
    columns[column] ??= {}
    columns[column][series] = value
  }
  const name = predictionColumn(probe)
  set(name, value)
  if ("label" in answer) set(`${name}.p`, Number(answer.probabilities[answer.label].toPrecision(6)))
}
