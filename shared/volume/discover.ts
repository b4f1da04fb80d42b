import type { ReadVolume } from "./volume.ts"

/** One series found under a path; its voxels are read only when asked for. */
export interface Candidate {
  /** The path as given, or the part of it that holds just this series. */
  source: string
  /** @throws Fault naming what is wrong with this series */
  read(): Promise<ReadVolume>
}

/** Why one file is not part of any candidate. */
export interface Verdict {
  file: string
  code: string
  message: string
}

export interface Discovery {
  candidates: Candidate[]
  setAside: Verdict[]
}
