import { mapBounded, storeConcurrency } from "#shared/cohort/bounded.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { isRow } from "./row-digests.ts"
import { corrupt, type Manifest } from "./snapshot.ts"

/** The f32 vectors of a snapshot. */
export interface Vectors {
  /** Those of `rows`, [rows.length, dim], in that order. @throws Fault `corrupt-snapshot` */
  read(rows: Uint32Array): Promise<Float32Array>
}

/** Read from the store row by row, each checked by its digest before it is used. Nothing is kept in memory. */
export function storedVectors(objects: ObjectStore, manifest: Manifest, digests: Uint8Array): Vectors {
  const { cohort, encoder, snapshot, dim } = manifest
  const key = keys.snapshotPart(cohort, encoder, snapshot, "vectors.f32")
  return {
    async read(rows) {
      const found = new Float32Array(rows.length * dim)
      const bytes = new Uint8Array(found.buffer)
      await mapBounded([...rows.keys()], storeConcurrency, async (i) => {
        const start = 4 * dim * rows[i]
        const part = await objects.get(key, { start, end: start + 4 * dim })
        if (!part) throw corrupt(cohort, snapshot, "vectors.f32", "is missing")
        if (part.bytes.length !== 4 * dim || !isRow(part.bytes, rows[i], digests)) {
          throw corrupt(cohort, snapshot, "vectors.f32", "is not what was published")
        }
        bytes.set(part.bytes, 4 * dim * i)
      })
      return found
    },
  }
}

export function vectorsInMemory({ dim, vectors }: { dim: number; vectors: Float32Array }): Vectors {
  return {
    async read(rows) {
      if (rows.length === 1) return vectors.subarray(rows[0] * dim, (rows[0] + 1) * dim)
      const found = new Float32Array(rows.length * dim)
      for (const [i, row] of rows.entries()) found.set(vectors.subarray(row * dim, (row + 1) * dim), i * dim)
      return found
    },
  }
}
