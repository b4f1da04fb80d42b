import type { Table } from "./design.ts"

export type LinearKind = "logistic" | "softmax" | "ridge"

/** What is to be told of each row: a class number (from 0, every one present), a value, or a time. */
export type Goal =
  | {
      kind: LinearKind
      target: Float64Array
      /** Numbers a head answers with: 1 for logistic and ridge, the number of classes for softmax. */
      outputs: number
    }
  | {
      kind: "cox"
      /** Times, above 0. */
      target: Float64Array
      /** 1 where the time is that of the event, 0 where the row was lost from sight. */
      event: Uint8Array
      /** Event times, ascending, at which held-out survival curves are judged. */
      grid: Float64Array
      /** Numbers that are judged of a held-out row: its risk, and its probability of survival at each of those times. */
      outputs: number
    }

export type Problem = Goal & { table: Table }

/** One row of the table. */
export function rowOf({ table }: Problem, row: number): Float32Array {
  return table.values.subarray(row * table.columns, (row + 1) * table.columns)
}
