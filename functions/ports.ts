import type { EncoderCard } from "#shared/encoder/card.ts"
import type { Encoder } from "#shared/encoder/encoder.ts"
import type { JobQueue } from "#shared/jobs/queue.ts"
import type { ObjectStore } from "#shared/store/store.ts"

/** What the HTTP functions stand on: they read small results and submit jobs. */
export interface ApiPorts {
  objects: ObjectStore
  jobs: JobQueue
  now(): Date
  /** The card of the encoder that new cohorts get. */
  defaultEncoder(): Promise<EncoderCard>
}

export type OpenEncoder = Encoder & { card: EncoderCard }

/** What a job stands on. */
export interface JobPorts {
  objects: ObjectStore
  now(): Date
  /**
   * Opens the encoder of that id, or the default one; each is opened once and kept in the store, so that a cohort
   * can always be answered by its own encoder. @throws Fault `no-encoder`
   */
  encoder(id?: string): Promise<OpenEncoder>
}

/** How far a job is, in steps of its own choosing. */
export interface Progress {
  done: number
  total: number
  message: string
}
