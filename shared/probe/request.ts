import * as z from "zod"
import { ColumnName } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"
import { CohortName, ProbeName } from "#shared/ids.ts"
import type { Method } from "./measure/learn.ts"
import { ProbePooling } from "./record.ts"

/** Beyond, neighbors are no neighbors. */
export const mostNeighbors = 1001

/** What to fit. Which of the columns go with which task, `targetOf` tells. */
export const FitRequest = z.object({
  name: ProbeName,
  cohort: CohortName,
  /** `knn` answers by neighbors, in place of a linear head, whatever the columns hold: classes, numbers or times. */
  task: z.enum(["classification", "regression", "survival", "knn"]),
  /** Columns are looked up among the labels of each member, then in its metadata. */
  label: ColumnName.optional(),
  /** Of survival, or of knn in place of a label: the time to the event, or to where the series was lost from sight. */
  time: ColumnName.optional(),
  /** With `time`: whether it is that of the event. */
  event: ColumnName.optional(),
  /** Both, as in DINOv2's linear evaluation (Oquab et al. 2023): the penalty sorts out what helps. */
  pooling: ProbePooling.default("both"),
  /**
   * λ of Σ log-loss + λ/2 · ‖w‖², of Σ error² + λ · ‖w‖², or of −log partial likelihood + λ/2 · ‖w‖²; chosen by
   * cross-validation when absent.
   */
  penalty: z.number().min(1e-3).max(1e9).optional(),
  /** Of knn: how many neighbors answer; chosen by cross-validation when absent. */
  neighbors: z.int().min(1).max(mostNeighbors).optional(),
  folds: z.int().min(2).max(20).default(5),
  /** Of folds and bootstrap: the same seed on the same data gives the same numbers. */
  seed: z.int().nonnegative().default(0),
  /** Of the numbers or times to learn, in words: "ml", "days". */
  unit: z.string().max(40).optional(),
  /** Whether the new version answers from then on; else it is a candidate, to be promoted or not. */
  promote: z.boolean().default(true),
})
export type FitRequest = z.input<typeof FitRequest>

/** The columns to learn from. */
export type Target =
  | { task: "classification" | "regression"; label: string }
  | { task: "survival"; time: string; event: string }

/** The columns that were asked for. Whether knn's label is a class or a number, only its values tell. */
export type AskedTarget = Target | { task: "knn"; label: string }

/** @throws Fault `invalid` / `bad-target` for columns or numbers that do not go with the task, or are missing for it */
export function targetOf({ task, label, time, event, penalty, neighbors }: FitRequest): AskedTarget {
  const wrong = (what: string) => new Fault("invalid", "bad-target", `task ${task} ${what}`)
  if (task === "knn" && penalty !== undefined) throw wrong("fits no weights: leave out the penalty")
  if (task !== "knn" && neighbors !== undefined) {
    throw wrong("asks no neighbors: leave out their number, or ask for task knn")
  }
  const timed = time !== undefined || event !== undefined
  if (task === "survival" || (task === "knn" && timed)) {
    if (label !== undefined) throw wrong("takes a column of times and one of events in place of a label")
    if (time === undefined) throw wrong("needs the column of times: 'time'")
    if (event === undefined)
      throw wrong("needs the column that tells whether the time is the event's: 'event'")
    if (time === event) throw wrong(`needs two columns, and '${time}' is named for both time and event`)
    return { task: "survival", time, event }
  }
  if (timed) throw wrong("takes a label only: leave out time and event, or ask for task survival")
  if (label === undefined) {
    throw wrong(`needs the column to learn: 'label'${task === "knn" ? ", or 'time' and 'event'" : ""}`)
  }
  return { task, label }
}

export function methodOf({ task, penalty, neighbors }: FitRequest): Method {
  return task === "knn" ? { kind: "neighbors", count: neighbors } : { kind: "linear", penalty }
}
