import { mapBounded, storeConcurrency } from "#shared/cohort/bounded.ts"
import type { Member } from "#shared/cohort/members.ts"
import { type Predictions, predicted } from "#shared/cohort/predictions.ts"
import { Fault } from "#shared/errors.ts"
import type { Pooling } from "#shared/features/features.ts"
import { readPooled } from "#shared/features/keep.ts"
import { vectorOf } from "#shared/features/pool.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { buildColumns, type Column } from "./columns.ts"

/** What a snapshot is made of, in memory; row i of each part is the same series. */
export interface Content {
  dim: number
  /** [count, dim], unit length. */
  vectors: Float32Array<ArrayBuffer>
  /** Which series each row is, ascending, and where it came from. */
  series: string[]
  source: string[]
  columns: Column[]
  /** Members without features under the encoder, which were left out. */
  missing: string[]
}

interface Source {
  encoder: string
  /** What probes said of the cohort. */
  predictions: readonly Predictions[]
  pooling: Pooling
  onRead(done: number): void
}

/**
 * Gathers the vectors of those members that have features under the encoder, in the members' order.
 * @throws Fault `conflict` / `empty-cohort` when none has; `zero-vector`, `corrupt-features`
 */
export async function gather(
  objects: ObjectStore,
  members: readonly Member[],
  { encoder, predictions, pooling, onRead }: Source,
): Promise<Content> {
  const kept: Member[] = []
  const missing: string[] = []
  let vectors = new Float32Array(0)
  let dim = 0
  // By batches: features arrive in order, and only one batch of them is in memory beside the vectors.
  for (let start = 0; start < members.length; start += 512) {
    const batch = members.slice(start, start + 512)
    const pooled = await mapBounded(batch, storeConcurrency, ({ series }) =>
      readPooled(objects, encoder, series),
    )
    for (const [i, found] of pooled.entries()) {
      if (!found) {
        missing.push(batch[i].series)
        continue
      }
      const vector = vectorOf(found, pooling)
      if (dim === 0) {
        dim = vector.length
        vectors = new Float32Array(members.length * dim)
      }
      if (vector.length !== dim) throw otherDim(batch[i].series, encoder)
      vectors.set(vector, kept.length * dim)
      kept.push(batch[i])
    }
    onRead(Math.min(start + batch.length, members.length))
  }
  if (kept.length === 0) throw empty(members.length, encoder)
  return {
    dim,
    vectors: vectors.subarray(0, kept.length * dim),
    series: kept.map(({ series }) => series),
    source: kept.map(({ source }) => source),
    columns: buildColumns(
      kept.map(({ series, metadata }) => ({ ...metadata, ...predicted(predictions, series) })),
    ),
    missing,
  }
}

function otherDim(series: string, encoder: string): Fault {
  return new Fault(
    "unavailable",
    "corrupt-features",
    `the features of ${series} under ${encoder} have another dim than the rest: delete it and add the series again`,
  )
}

function empty(members: number, encoder: string): Fault {
  const why = members === 0 ? "it has no series" : `none of its ${members} series has features of ${encoder}`
  return new Fault("conflict", "empty-cohort", `the cohort cannot be published, ${why}: add series first`)
}
