import * as z from "zod"
import { mapBounded, type OnDamaged, readList, storeConcurrency } from "#shared/cohort/bounded.ts"
import { Fault } from "#shared/errors.ts"
import type { Pooled } from "#shared/features/features.ts"
import { readPooled } from "#shared/features/keep.ts"
import { SeriesId } from "#shared/ids.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { decodeHead } from "./head/file.ts"
import type { Head } from "./head/head.ts"
import { ready } from "./head/neighbors.ts"
import { intervalShare } from "./measure/prediction-interval.ts"
import { predictedClass } from "./measure/score.ts"
import type { ProbeRecord } from "./record.ts"
import { checkEncoder, columnsOf, headInputs, usable } from "./study/inputs.ts"
import { Neighbors, told } from "./told.ts"
import { currentVersion } from "./versions/pointer.ts"
import { corruptProbe, noCurrent, noSuchVersion, readRecord } from "./versions/stored.ts"

/** A probe that is ready to answer. */
export interface Probe {
  record: ProbeRecord
  head: Head
}

/**
 * What the probe says: the likeliest class (of two, by one half, whatever thresholds the record has) and the probability
 * of each; a value in the unit of its labels, with the interval that holds the truth for about `share` of series, null
 * where too few were labelled; or the risk, which is the log of the hazard's ratio to that of the mean training series (of
 * neighbors the share of the time up to the record's `brierTo` that is lost to the event, 0 to 1), and the probability
 * of living past times.
 */
export const Answer = z.union([
  z.object({ label: z.string(), probabilities: z.record(z.string(), z.number()), neighbors: Neighbors }),
  z.object({
    value: z.number(),
    low: z.number().nullable(),
    high: z.number().nullable(),
    share: z.number(),
    unit: z.string().nullable(),
    neighbors: Neighbors,
  }),
  z.object({
    risk: z.number(),
    survival: z.array(z.object({ time: z.number(), probability: z.number() })),
    unit: z.string().nullable(),
    neighbors: Neighbors,
  }),
])
export type Answer = z.infer<typeof Answer>

/** Why there is no answer for a series. */
export const Unanswered = z.object({
  series: SeriesId,
  error: z.object({ code: z.string(), message: z.string() }),
})
type Unanswered = z.infer<typeof Unanswered>

/** One per series asked for, in order: an answer, or why there is none. */
export const Prediction = z.union([z.object({ series: SeriesId, prediction: Answer }), Unanswered])
export type Prediction = z.infer<typeof Prediction>

/**
 * The record of a version of a probe; of the one that answers when none is named.
 * @throws Fault `missing` / `no-such-probe`, `not-promoted`, `no-such-version`; `unavailable` / `corrupt-probe`,
 * `corrupt-object`, `old-probe`, `newer-probe`
 */
export async function getProbe(objects: ObjectStore, name: string, version?: string): Promise<ProbeRecord> {
  const asked = version ?? (await currentVersion(objects, name))
  if (!asked) throw await noCurrent(objects, name)
  const record = await readRecord(objects, name, asked)
  if (record) return record
  if (version !== undefined) throw await noSuchVersion(objects, name, version)
  throw corruptProbe(`version ${asked} of probe ${name} is not there`)
}

/** The current record of every probe, by name. */
export async function listProbes(objects: ObjectStore, onDamaged?: OnDamaged): Promise<ProbeRecord[]> {
  const names = (await objects.list(keys.probes))
    .map((key) => [key, key.split("/")[1]])
    .filter(([key, name]) => key === keys.probeCurrent(name))
    .map(([, name]) => name)
  return readList(names, (name) => getProbe(objects, name), onDamaged)
}

/**
 * Opens a version of a probe; the one that answers when none is named.
 * @throws Fault `no-such-probe`, `not-promoted`, `no-such-version`, `old-probe`, `newer-probe`; `corrupt-probe` when its weights are
 * not those that were fitted
 */
export async function openProbe(objects: ObjectStore, name: string, version?: string): Promise<Probe> {
  const record = await getProbe(objects, name, version)
  const key = keys.probePart(name, record.version, record.head.file)
  const object = await objects.get(key)
  if (!object) {
    throw new Fault("unavailable", "corrupt-probe", `the weights ${key} are not there: fit the probe again`)
  }
  return { record, head: headOf(record, object.bytes, key) }
}

/** The probe, for one question after another: neighbors are found sooner, for which a few of them must be asked for. */
export async function prepared({ record, head }: Probe): Promise<Probe> {
  return { record, head: head.kind === "knn" ? await ready(head) : head }
}

/** The head of a record from the bytes of its file. @param name of the file, for the Fault `corrupt-probe` */
export function headOf(record: ProbeRecord, bytes: Uint8Array, name: string): Head {
  const { kind, sha256 } = record.head
  const columns = columnsOf(record.dim, record.pooling)
  const outputs = record.task === "classification" && kind !== "logistic" ? record.classes.length : 1
  return decodeHead(bytes, name, { kind, outputs, columns, sha256 })
}

/**
 * Predicts from the cached features of each series, as `ofEach` has it.
 * @param times of a survival probe, the times to tell the probability of survival at, as `checkTimes` takes them
 */
export function predict(
  objects: ObjectStore,
  probe: Probe,
  series: string[],
  times?: number[],
): Promise<Prediction[]> {
  return ofEach(objects, probe.record.encoder.id, series, (pooled) => predictPooled(probe, pooled, times))
}

/**
 * What `answer` makes of the cached features of each series, in order; their patches are not read. A series without
 * features, or whose file is damaged, gets an `error` in place of an answer and does not stop the others.
 * @throws Fault `conflict` / `wrong-encoder` for features that are not of the encoder and recipe that was asked for
 */
export function ofEach<T>(
  objects: ObjectStore,
  encoder: string,
  series: string[],
  answer: (pooled: Pooled) => T,
): Promise<(T | Unanswered)[]> {
  return mapBounded(series, storeConcurrency, async (id) => {
    try {
      const pooled = await readPooled(objects, encoder, id)
      if (pooled) return answer(pooled)
      const message = `${id} has no features under encoder ${encoder}: add it with that encoder first`
      return { series: id, error: { code: "no-features", message } }
    } catch (thrown) {
      if (!(thrown instanceof Fault && ofOneSeries.includes(thrown.code))) throw thrown
      return { series: id, error: { code: thrown.code, message: thrown.message } }
    }
  })
}

/** @throws Fault `invalid` / `bad-times` unless a probe can tell the probability of survival at these times */
export function checkTimes({ record }: Probe, times: number[]): void {
  const wrong = (what: string) =>
    new Fault("invalid", "bad-times", `${what}: leave out the times, or ask for others`)
  if (record.task !== "survival")
    throw wrong(`probe ${record.name} is one of ${record.task}, which knows no times`)
  const unknown = times.filter((time) => !(time > 0 && time <= record.followUp))
  if (unknown.length === 0) return
  const known = `${record.name} knows times from 0 to ${record.followUp} ${record.unit ?? ""}`.trim()
  throw wrong(`probe ${known}, and not ${unknown.slice(0, 5).join(", ")}`)
}

/** Faults of a single series, which need not stop the others. */
export const ofOneSeries = ["corrupt-features", "wrong-series", "not-finite"]

/** Predicts from features in memory. @throws Fault `wrong-encoder`, `not-finite` */
export function predictPooled(
  { record, head }: Probe,
  pooled: Pooled,
  times?: number[],
): { series: string; prediction: Answer } {
  checkEncoder(pooled, record.encoder)
  const { series } = pooled.receipt
  const x = headInputs(pooled, record.pooling)
  const columns = head.mean.length
  if (!usable(x, columns)) {
    const message = `the features of ${series} are not finite, or not ${columns} numbers: add the series again`
    throw new Fault("invalid", "not-finite", message)
  }
  const { output, alive, evidence } = told({ record, head }, x, series)
  if (record.task === "regression") {
    const [value] = output
    const { half } = record.interval
    const ends = half === null ? { low: null, high: null } : { low: value - half, high: value + half }
    return { series, prediction: { value, ...ends, share: intervalShare, unit: record.unit, ...evidence } }
  }
  if (record.task === "survival") {
    const survival = (times ?? record.answersAt).map((time) => ({ time, probability: alive(time) }))
    return { series, prediction: { risk: output[0], survival, unit: record.unit, ...evidence } }
  }
  const shares = output.length === 1 ? [1 - output[0], output[0]] : [...output]
  const [k] = predictedClass(output, output.length)
  const label = record.classes[k].name
  const probabilities = Object.fromEntries(record.classes.map(({ name }, i) => [name, shares[i]]))
  return { series, prediction: { label, probabilities, ...evidence } }
}
