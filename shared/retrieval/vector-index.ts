import type { Found } from "#shared/exact/top-k.ts"

export interface SearchOptions {
  k: number
  /** Only these rows may answer, ascending; all of them when absent. HNSW does not take it. */
  rows?: Uint32Array
  /** Breadth of an HNSW search; ignored by exact. */
  ef?: number
}

/** At most k rows with their cosine similarity to the query, best first; ties by row. */
export interface Nearest {
  found: Found[]
  /** Rows that a first look left in question, and whose score was computed anew from the f32 vectors. */
  rescored: number
}

/** Read-only index over unit vectors: rebuilt, never mutated. Asynchronous, so an engine elsewhere can stand behind it. */
export interface VectorIndex {
  dim: number
  size: number
  /** @throws Fault `invalid` for a query of other length or not finite */
  search(query: Float32Array, options: SearchOptions): Promise<Nearest>
}
