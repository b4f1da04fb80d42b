import * as z from "zod"
import { EncoderId, ProbeName, SeriesId } from "#shared/ids.ts"
import { getJson, putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { type OnDamaged, readList } from "./bounded.ts"
import { ColumnName, Scalar, type Scalars } from "./members.ts"

/** What one version of a probe said of the series of a cohort. The next snapshot holds it as columns. */
export const Predictions = z.object({
  probe: ProbeName,
  version: z.string(),
  encoder: EncoderId,
  at: z.iso.datetime(),
  /** Column → series → value; a series that the probe has no answer for is absent. */
  columns: z.record(ColumnName, z.record(SeriesId, Scalar)),
})
export type Predictions = z.infer<typeof Predictions>

/** `probe.NAME` is the answer, `probe.NAME.p` the probability of a class that is the answer. */
export const predictionColumn = (probe: string) => `probe.${probe}`

/** Takes the place of what the probe said of the cohort before. */
export async function putPredictions(objects: ObjectStore, cohort: string, said: Predictions): Promise<void> {
  await putJson(objects, keys.predictions(cohort, said.probe), said)
}

/** What each probe said last, by the probe's name. */
export async function listPredictions(
  objects: ObjectStore,
  cohort: string,
  onDamaged?: OnDamaged,
): Promise<Predictions[]> {
  const found = await objects.list(keys.predictionsIn(cohort))
  return readList(found, async (key) => (await getJson(objects, key, Predictions))?.value, onDamaged)
}

/** A series' predictions as further metadata: nothing that its owner wrote under the same name stands against them. */
export function predicted(all: readonly Predictions[], series: string): Scalars {
  return Object.fromEntries(
    all.flatMap(({ columns }) =>
      Object.entries(columns).flatMap(([name, values]) => (series in values ? [[name, values[series]]] : [])),
    ),
  )
}
