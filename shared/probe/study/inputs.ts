import { mapBounded, storeConcurrency } from "#shared/cohort/bounded.ts"
import { Fault } from "#shared/errors.ts"
import type { Pooled } from "#shared/features/features.ts"
import { readPooled } from "#shared/features/keep.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import type { Table } from "../head/design.ts"
import type { ProbePooling, ProbeRecord } from "../record.ts"
import { type Acquired, acquired } from "./acquisition.ts"

export type ProbeEncoder = ProbeRecord["encoder"]

/** The numbers a head reads of a series: [dim], or [2 · dim] with the CLS token first. */
export function headInputs({ cls, mean }: Pick<Pooled, "cls" | "mean">, pooling: ProbePooling): Float32Array {
  if (pooling === "cls") return cls
  if (pooling === "mean") return mean
  const both = new Float32Array(cls.length + mean.length)
  both.set(cls)
  both.set(mean, cls.length)
  return both
}

/** How many numbers `headInputs` gives for an encoder's dim. */
export function columnsOf(dim: number, pooling: ProbePooling): number {
  return pooling === "both" ? 2 * dim : dim
}

export function usable(x: Float32Array, columns: number): boolean {
  // A sum is not finite as soon as one of them is not; float32 numbers cannot make it so.
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i]
  return x.length === columns && Number.isFinite(sum)
}

/** @throws Fault `conflict` / `wrong-encoder` unless the features are of exactly this encoder and recipe */
export function checkEncoder({ receipt }: Pooled, encoder: ProbeEncoder): void {
  const { id, digest, recipeDigest } = receipt.encoder
  if (id === encoder.id && digest === encoder.digest && recipeDigest === encoder.recipeDigest) return
  const differs = digest === encoder.digest ? "another recipe" : "other weights"
  throw new Fault(
    "conflict",
    "wrong-encoder",
    `the features of ${receipt.series} are of encoder ${id}, with ${differs} than ${encoder.id} that is asked for: ` +
      "embed the series with that one, or fit the probe again",
  )
}

export interface Inputs {
  table: Table
  /** Which of the series asked for have features: their places in the list, one per row of the table. */
  found: number[]
  /** How each row of the table was acquired. */
  acquired: Acquired[]
  encoder: ProbeEncoder
  dim: number
}

export type ReadInputs = typeof readInputs

/** Of inputs that were read of `series` those of `some` of them, as if these alone had been read. */
export function pickInputs(all: Inputs, series: string[], some: string[]): Inputs {
  const { columns, values } = all.table
  const rowOf = new Map(all.found.map((i, row) => [series[i], row]))
  const found = [...some.keys()].filter((i) => rowOf.has(some[i]))
  const rows = found.map((i) => rowOf.get(some[i])!)
  const picked = new Float32Array(new SharedArrayBuffer(4 * rows.length * columns))
  for (const [to, from] of rows.entries()) {
    picked.set(values.subarray(from * columns, (from + 1) * columns), to * columns)
  }
  const table = { values: picked, rows: rows.length, columns }
  return { ...all, table, found, acquired: rows.map((row) => all.acquired[row]) }
}

/**
 * Reads the pooled features of the series under one encoder, never their patches. Series without features are
 * left out of `found`.
 * @throws Fault `no-features` when none has any, `wrong-encoder`, `not-finite`
 */
export async function readInputs(
  objects: ObjectStore,
  encoderId: string,
  series: string[],
  pooling: ProbePooling,
  onRead?: (done: number) => void,
): Promise<Inputs> {
  let done = 0
  let first: Pooled | undefined
  const rows = await mapBounded(series, storeConcurrency, async (id) => {
    const pooled = await readPooled(objects, encoderId, id)
    onRead?.(++done)
    if (!pooled) return undefined
    first ??= pooled
    checkEncoder(pooled, { ...first.receipt.encoder, id: encoderId })
    return { x: headInputs(pooled, pooling), acquired: acquired(pooled.receipt) }
  })
  if (!first) {
    throw new Fault(
      "invalid",
      "no-features",
      `none of the ${series.length} labelled series has features under encoder ${encoderId}: add them with it first`,
    )
  }

  const found = [...rows.keys()].filter((i) => rows[i] !== undefined)
  const columns = columnsOf(first.cls.length, pooling)
  // Shared memory: threads learn from it where it lies.
  const values = new Float32Array(new SharedArrayBuffer(4 * found.length * columns))
  const bad: string[] = []
  for (const [row, i] of found.entries()) {
    const { x } = rows[i]!
    if (usable(x, columns)) values.set(x, row * columns)
    else bad.push(series[i])
  }
  if (bad.length > 0) {
    throw new Fault(
      "invalid",
      "not-finite",
      `${bad.length} series have features that are not finite, or not ${columns} numbers: delete and add them again, or take them out of ` +
        `the cohort; ${bad.slice(0, 5).join(", ")}`,
    )
  }
  const { digest, recipeDigest } = first.receipt.encoder
  const table = { values, rows: found.length, columns }
  const encoder = { id: encoderId, digest, recipeDigest }
  return { table, found, acquired: found.map((i) => rows[i]!.acquired), encoder, dim: first.cls.length }
}
