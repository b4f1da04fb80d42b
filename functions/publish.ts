import { compareEncoders } from "#shared/probe/compare.ts"
import { type Published, publish } from "#shared/retrieval/publish.ts"
import type { JobPorts, Progress } from "./ports.ts"

export interface PublishRequest {
  cohort: string
  /** The cohort's when absent. */
  encoder?: string
  force?: boolean
}

/** Publishes a cohort; where another encoder is to answer for it, its probes are compared under both. */
export function publishCohort(
  { cohort, encoder, force }: PublishRequest,
  { objects, now }: JobPorts,
  onProgress: (progress: Progress) => void,
): Promise<Published> {
  const change = encoder && {
    encoder,
    compare: (of: { cohort: string; from: string; to: string }) =>
      compareEncoders(objects, { ...of, onProgress }),
  }
  return publish(objects, { cohort, force, now: now(), onProgress, ...(change ? { change } : {}) })
}
