import { judgedOfEach } from "../head/head.ts"
import type { Study } from "../study/rows.ts"
import { type Choice, learn, type Method } from "./learn.ts"

/** Learn from some rows and be judged on others. Plain data: a thread can be sent it. */
export interface Trial {
  study: Study
  train: Uint32Array
  test: Uint32Array
  method: Method
  seed: number
}

export interface TrialResult {
  /** What is judged of each test row, [test rows, outputs]. */
  outputs: Float64Array
  choice: Choice
  converged: boolean
  /** Whether its head has a calibration. */
  calibrated: boolean
}

/** The test rows have no say in anything that is learned. */
export function heldOut({ study, train, test, method, seed }: Trial): TrialResult {
  const { head, choice, converged, calibratedOn } = learn(study, train, method, seed)
  return { outputs: judgedOfEach(study, head, test), choice, converged, calibrated: calibratedOn > 0 }
}
