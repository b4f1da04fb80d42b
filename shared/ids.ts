import { createHash, randomBytes } from "node:crypto"
import * as z from "zod"

/** A series, named by its canonical voxels and spacing (`volume/series-id.ts`). */
export const SeriesId = z.string().regex(/^s-[0-9a-f]{32}$/, "a series id is s- and 32 hex digits")

/** A frozen network under one recipe: its name and the start of the digest of both (`encoder/card.ts`). */
export const EncoderId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{0,47}-[0-9a-f]{12}$/, "an encoder id is name-12 hex digits")

const name = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/
const nameRule = "letters, digits, '.', '_' and '-' only, at most 64, starting with a letter or digit"
export const CohortName = z.string().regex(name, `a cohort's name is ${nameRule}`)
export const ProbeName = z.string().regex(name, `a probe's name is ${nameRule}`)

export const SnapshotId = z.string().regex(/^[0-9]{8}T[0-9]{9}Z-[0-9a-f]{8}$/)
export const JobId = z.string().regex(/^j-[0-9a-f]{24}$/, "a job id is j- and 24 hex digits")

export function sha256(bytes: Uint8Array | string): string {
  const hash = createHash("sha256")
  if (typeof bytes === "string") return hash.update(bytes).digest("hex")
  // One update takes less than 2 GiB.
  for (let at = 0; at < bytes.length; at += 2 ** 30) hash.update(bytes.subarray(at, at + 2 ** 30))
  return hash.digest("hex")
}

/** Job ids sort by time: six bytes of milliseconds, six by lot. */
export function newJobId(now = new Date()): string {
  return `j-${now.getTime().toString(16).padStart(12, "0")}${randomBytes(6).toString("hex")}`
}

/** UTC time without punctuation, milliseconds included: sorts as text, fits object names. */
export function timeStamp(now: Date): string {
  return now.toISOString().replaceAll(/[-:.]/g, "")
}
