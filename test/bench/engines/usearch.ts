import { type Engine, type Graph, optional, timed, type Vectors } from "./engine.ts"

interface Library {
  MetricKind: { IP: string }
  Index: new (
    about: object,
  ) => {
    add(keys: BigUint64Array, rows: Float32Array, threads: number): void
    search(query: Float32Array, k: number, threads: number): { keys: BigUint64Array }
  }
  exactSearch(
    rows: Float32Array,
    queries: Float32Array,
    dim: number,
    k: number,
    metric: string,
    threads: number,
  ): { keys: BigUint64Array }
}

/** usearch's exact search over f32; `threads` 0 means one for each core. */
export function usearch({ dim, vectors }: Vectors, threads: number): Engine | undefined {
  const library = optional("usearch") as Library | undefined
  if (!library) return undefined
  const { exactSearch, MetricKind } = library
  return {
    search: (query, k) =>
      timed(() => Array.from(exactSearch(vectors, query, dim, k, MetricKind.IP, threads).keys, Number)),
    close: async () => {},
  }
}

/** usearch's graph over f32, built on all cores and searched on one. */
export function usearchGraph(
  { dim, vectors }: Vectors,
  { m, efConstruction, ef }: Graph,
): Engine | undefined {
  const library = optional("usearch") as Library | undefined
  if (!library) return undefined
  const index = new library.Index({
    dimensions: dim,
    metric: library.MetricKind.IP,
    quantization: "f32",
    connectivity: m,
    expansion_add: efConstruction,
    expansion_search: ef,
    multi: false,
  })
  index.add(
    BigUint64Array.from({ length: vectors.length / dim }, (_, row) => BigInt(row)),
    vectors,
    0,
  )
  return {
    search: (query, k) => timed(() => Array.from(index.search(query, k, 1).keys, Number)),
    close: async () => {},
  }
}
