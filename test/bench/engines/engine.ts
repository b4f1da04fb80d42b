import { createRequire } from "node:module"

/** An engine beside ours: the rows of the k best of a query, and how long it took, in ms. */
export interface Engine {
  search(query: Float32Array, k: number): Promise<{ rows: number[]; ms: number }>
  close(): Promise<void>
}

export interface Vectors {
  dim: number
  vectors: Float32Array
}

/** A graph as HNSW builds it; where it is asked for, an engine builds one and searches it, else it looks at every row. */
export interface Graph {
  m: number
  efConstruction: number
  ef: number
}

/** A package that this project does not depend on; undefined where it is not installed (NODE_PATH counts too). */
export function optional(name: string): unknown {
  const require = createRequire(import.meta.url)
  try {
    require.resolve(name)
  } catch {
    return undefined
  }
  return require(name)
}

export async function timed(
  find: () => number[] | Promise<number[]>,
): Promise<{ rows: number[]; ms: number }> {
  const started = performance.now()
  const rows = await find()
  return { rows, ms: performance.now() - started }
}
