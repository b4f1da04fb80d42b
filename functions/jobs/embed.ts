import { createCohort, findCohort } from "#shared/cohort/cohort.ts"
import { addMember, type Scalars } from "#shared/cohort/members.ts"
import { about, Fault } from "#shared/errors.ts"
import type { Pooled, Receipt } from "#shared/features/features.ts"
import { keepFeatures, readPooled } from "#shared/features/keep.ts"
import { featuresOf } from "#shared/features/pool.ts"
import { preprocess } from "#shared/preprocess/preprocess.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import type { Candidate } from "#shared/volume/discover.ts"
import { seriesId } from "#shared/volume/series-id.ts"
import type { ReadVolume } from "#shared/volume/volume.ts"
import type { JobPorts, OpenEncoder } from "../ports.ts"

/** What became of one series that was to be added. */
export interface Added {
  series: string | null
  source: string
  status: "embedded" | "already" | "rejected"
  code: string | null
  message: string | null
  receipt: Receipt | null
}

/**
 * The encoder of a cohort: its own, or for a new cohort the default. `explicit` says that the caller chose the
 * default by name, so that a cohort of another encoder is refused rather than quietly served by its own.
 * @throws Fault `wrong-encoder`
 */
export async function encoderOf(cohort: string, explicit: boolean, ports: JobPorts): Promise<OpenEncoder> {
  const existing = await findCohort(ports.objects, cohort)
  const encoder = await ports.encoder(explicit ? undefined : existing?.encoder)
  if (existing && existing.encoder !== encoder.id) {
    throw new Fault(
      "conflict",
      "wrong-encoder",
      `cohort ${cohort} holds vectors of ${existing.encoder}, not of ${encoder.id}: leave --encoder out, or use another cohort`,
    )
  }
  return encoder
}

/** The features of a volume, computed only where they are not kept already. Safe to run twice. */
export async function features(read: ReadVolume, encoder: OpenEncoder, ports: JobPorts) {
  const series = seriesId(read.volume)
  const kept = await readKept(ports.objects, encoder.id, series)
  if (kept) return { series, status: "already", pooled: kept } as const

  const computed = await compute(series, read, encoder)
  const status = await keepFeatures(ports.objects, computed)
  return { series, status, pooled: computed } as const
}

/** What is kept of a series. A damaged file is taken away: the volume is at hand to make it anew. */
async function readKept(objects: ObjectStore, encoder: string, series: string): Promise<Pooled | undefined> {
  try {
    return await readPooled(objects, encoder, series)
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.code === "corrupt-features")) throw thrown
    await objects.delete(keys.features(encoder, series))
    return undefined
  }
}

/** Preprocesses and encodes one volume; keeps nothing. */
export async function compute(series: string, { volume, receipt }: ReadVolume, encoder: OpenEncoder) {
  const input = preprocess(volume, encoder.recipe)
  const tokens = await encoder.encode(input)
  return featuresOf(tokens, {
    series,
    volume: receipt,
    preprocess: input.receipt,
    encoder: { id: encoder.id, digest: encoder.card.digest, recipeDigest: encoder.card.recipeDigest },
    gridToPatient: input.gridToPatient,
    deidentification: "only voxels and geometry were read; no other header field of the source is kept",
  })
}

export interface EmbedInto {
  cohort: string
  encoder: OpenEncoder
  /** Metadata that a CSV or the caller gives for this series. */
  metadata(source: string, series: string): Scalars
}

/** Embeds one candidate into a cohort. A fault of the series becomes a rejection; the cohort is as it was. */
export async function embed(candidate: Candidate, into: EmbedInto, ports: JobPorts): Promise<Added> {
  const { source } = candidate
  try {
    const { series, status, pooled } = await features(await candidate.read(), into.encoder, ports)
    const now = ports.now()
    await createCohort(ports.objects, into.cohort, into.encoder.id, now)
    await addMember(
      ports.objects,
      into.cohort,
      { series, source, metadata: into.metadata(source, series) },
      now,
    )
    return { series, source, status, code: null, message: null, receipt: pooled.receipt }
  } catch (thrown) {
    return rejection(source, thrown)
  }
}

/** The line for a source that could not be added; what is no fault of the source is thrown on. */
export function rejection(source: string, thrown: unknown): Added {
  // `unavailable` is our trouble (a full disk, a broken encoder), not this series': it must stop the job.
  if (!(thrown instanceof Fault) || thrown.kind === "unavailable") throw thrown
  const { code, message } = about(source, thrown)
  return { series: null, source, status: "rejected", code, message, receipt: null }
}
