import { type Engine, optional, timed, type Vectors } from "./engine.ts"

interface Library {
  MetricKind: { IP: string }
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
