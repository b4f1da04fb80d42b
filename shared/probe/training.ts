import * as z from "zod"
import type { Damaged } from "#shared/features/safetensors.ts"
import { SeriesId, sha256 } from "#shared/ids.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { Trivial } from "./measure/trivial.ts"
import type { ProbeRecord } from "./record.ts"
import { corruptProbe } from "./versions/stored.ts"

export const trainingFile = "training.json"

/** What a version was trained on, kept beside its record. */
export const Training = z.object({
  /** Sorted. */
  series: z.array(SeriesId),
  /** What says the same of everybody, from the training labels. */
  trivial: Trivial,
})
export type Training = z.infer<typeof Training>

export function encodeTraining({ series, trivial }: Training): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ series: [...series].sort(), trivial }))
}

/** @throws Fault `unavailable` / `corrupt-probe` unless it is the very file that was written */
export async function readTraining(objects: ObjectStore, record: ProbeRecord): Promise<Training> {
  const { file } = record.training
  const key = keys.probePart(record.name, record.version, file)
  const object = await objects.get(key)
  if (!object) throw corruptProbe(`${key}, which names its training series, is not there`)
  return decodeTraining(object.bytes, record, key)
}

/** @param name of the file, for the Fault `unavailable` / `corrupt-probe` */
export function decodeTraining(bytes: Uint8Array, record: ProbeRecord, name: string): Training {
  const damaged = (what: string, cause?: unknown) => corruptProbe(`${name} is damaged: ${what}`, cause)
  if (sha256(bytes) !== record.training.sha256) throw damaged("its digest is not the one in probe.json")
  const parsed = Training.safeParse(jsonOf(bytes, damaged))
  if (!parsed.success) throw damaged("it is no list of training series")
  const { series, trivial } = parsed.data
  if (sha256(series.join("\n")) !== record.training.seriesDigest)
    throw damaged("its series are not those of probe.json")
  const fits = {
    classification: () => trivial.kind === "shares" && trivial.shares.length === classesOf(record),
    regression: () => trivial.kind === "mean",
    survival: () => trivial.kind === "kaplan-meier" && trivial.times.length === trivial.alive.length,
  }
  if (!fits[record.task]()) throw damaged("its trivial predictor is one of another task")
  return parsed.data
}

function classesOf(record: ProbeRecord): number {
  return record.task === "classification" ? record.classes.length : 0
}

function jsonOf(bytes: Uint8Array, damaged: Damaged): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw damaged("it is not JSON", cause)
  }
}
