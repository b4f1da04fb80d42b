import * as z from "zod"
import { mapBounded, storeConcurrency } from "#shared/cohort/bounded.ts"
import { getCohort } from "#shared/cohort/cohort.ts"
import { memberSeries, type Scalar } from "#shared/cohort/members.ts"
import { type Predictions, predictionColumn, putPredictions } from "#shared/cohort/predictions.ts"
import { Fault } from "#shared/errors.ts"
import { readPooled } from "#shared/features/keep.ts"
import { CohortName, ProbeName } from "#shared/ids.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { probesNamed } from "./panel/panel.ts"
import { type Answer, ofOneSeries, openProbe, type Probe, predictPooled, prepared } from "./predict.ts"

export const PredictRequest = z.strictObject({
  cohort: CohortName,
  /** Names of probes, or of panels for those of their findings. */
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
  const named = await probesNamed(objects, names)
  const probes = await mapBounded(named, storeConcurrency, async (name) =>
    prepared(await openProbe(objects, name)),
  )
  for (const { record } of probes) {
    if (record.encoder.id === encoder) continue
    const message = `probe ${record.name} was fitted on features of ${record.encoder.id}, cohort ${cohort} has ${encoder}`
    throw new Fault("conflict", "wrong-encoder", `${message}: fit a probe on this cohort`)
  }
  const series = await memberSeries(objects, cohort)
  // By the series' place: a hundred probes' answers as keyed objects would take many times the room.
  const said = probes.map((): Said => ({ value: new Array(series.length), p: new Array(series.length) }))
  let missing = 0
  let done = 0
  await mapBounded([...series.keys()], storeConcurrency, async (at) => {
    const answers = await answersFor(objects, probes, encoder, series[at])
    if (!answers) missing++
    for (const [i, answer] of (answers ?? []).entries())
      if (answer) note(said[i], at, labelled(answer, probes[i]), answer)
    if (++done % 256 === 0) onProgress?.({ done, total: series.length, message: "predicting" })
  })
  const predicted: PredictedCohort["probes"] = []
  for (const [i, { record }] of probes.entries()) {
    const { name: probe, version } = record
    const columns = columnsOf(probe, said[i], series)
    await putPredictions(objects, cohort, { probe, version, encoder, at: now.toISOString(), columns })
    const answered = Object.keys(columns[predictionColumn(probe)] ?? {}).length
    predicted.push({ probe, version, answered, columns: Object.keys(columns) })
  }
  return { cohort, members: series.length, missing, probes: predicted }
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

/** What one probe said of each series, and with which probability; holes where it has no answer. */
interface Said {
  value: (Scalar | undefined)[]
  p: (number | undefined)[]
}

function note({ value, p }: Said, at: number, said: Scalar, answer: Answer): void {
  value[at] = said
  if ("label" in answer) p[at] = Number(answer.probabilities[answer.label].toPrecision(6))
}

/** Column → series → value, without the columns that nobody has a value in. */
function columnsOf(probe: string, { value, p }: Said, series: string[]): Predictions["columns"] {
  const column = <T>(values: (T | undefined)[]): Record<string, T> =>
    Object.fromEntries(series.flatMap((id, at) => (values[at] === undefined ? [] : [[id, values[at]]])))
  const name = predictionColumn(probe)
  const columns = { [name]: column(value), [`${name}.p`]: column(p) }
  return Object.fromEntries(Object.entries(columns).filter(([, of]) => Object.keys(of).length > 0))
}
