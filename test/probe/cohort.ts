import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { createCohort } from "#shared/cohort/cohort.ts"
import { addMember, type Scalars } from "#shared/cohort/members.ts"
import type { Features, Receipt } from "#shared/features/features.ts"
import { keepFeatures } from "#shared/features/keep.ts"
import { sha256 } from "#shared/ids.ts"
import { prng } from "#shared/probe/math/prng.ts"
import { diskStore } from "#shared/store/disk.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { sampleFeatures } from "../features/sample.ts"

export const now = new Date("2025-03-04T05:06:07.089Z")
export const encoder = { id: "fake-0123456789ab", digest: "d".repeat(64), recipeDigest: "e".repeat(64) }
export const dim = 6

/** The id of the n-th made-up series. */
export const seriesId = (n: number) => `s-${sha256(`series ${n}`).slice(0, 32)}`

/** A store in a folder of its own, removed when the test ends. */
export function emptyStore(): ObjectStore {
  const folder = mkdtempSync(join(tmpdir(), "voxkin-probe-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return diskStore(folder)
}

/** Features of noise, with a signal for the probe in one number of `cls` and another of `mean`. */
export function featuresWith(n: number, signal: number, change: Partial<Receipt> = {}): Features {
  const random = prng(n)
  const noise = () => Float32Array.from({ length: dim }, () => random() - 0.5)
  const features = sampleFeatures([1, 2, 2], dim, { series: seriesId(n), encoder, ...change })
  const [cls, mean] = [noise(), noise()]
  cls[2] += signal
  mean[4] -= signal
  return { ...features, cls, mean }
}

export interface Row {
  signal: number
  labels?: Scalars
  metadata?: Scalars
  features?: false
  receipt?: Partial<Receipt>
}

/** Fills a cohort, the first row being series `from`. */
export async function fillCohort(
  objects: ObjectStore,
  rows: Row[],
  { cohort = "c", from = 0 }: { cohort?: string; from?: number } = {},
): Promise<void> {
  await createCohort(objects, cohort, encoder.id, now)
  for (const [i, { signal, labels = {}, metadata = {}, features, receipt }] of rows.entries()) {
    const n = from + i
    await addMember(objects, cohort, { series: seriesId(n), source: `scan ${n}`, metadata, labels }, now)
    if (features !== false) await keepFeatures(objects, featuresWith(n, signal, receipt))
  }
}
