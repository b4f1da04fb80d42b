/** One row found: its number in the index, and its cosine similarity to the query. */
export interface Found {
  row: number
  score: number
}

export interface SearchOptions {
  k: number
  /** Only these rows may answer, ascending; all of them when absent. HNSW does not take it. */
  rows?: Uint32Array
  /** Breadth of an HNSW search; ignored by exact. */
  ef?: number
}

/** At most k rows, best first; ties by row. */
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
