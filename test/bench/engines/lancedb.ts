import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Engine, type Graph, optional, timed, type Vectors } from "./engine.ts"

type Rows = { row: number; vector: Float32Array }[]

interface Query {
  distanceType(type: "dot"): Query
  select(columns: string[]): Query
  limit(k: number): Query
  ef(ef: number): Query
  refineFactor(factor: number): Query
  toArray(): Promise<{ row: number }[]>
}

interface Table {
  add(rows: Rows): Promise<unknown>
  vectorSearch(query: Float32Array): Query
  createIndex(column: string, options: object): Promise<void>
  waitForIndex(names: string[], seconds: number): Promise<void>
}

interface Library {
  Index: { hnswSq(options: object): unknown }
  connect(folder: string): Promise<{ createTable(name: string, rows: Rows): Promise<Table>; close(): void }>
}

/** Of the candidates that a graph's codes find so many times k are scored anew. */
const refine = 5

/**
 * A LanceDB table without an index, so that it scans every row, or with a graph of codes; it takes as many threads as it
 * likes.
 */
export async function lancedb({ dim, vectors }: Vectors, graph?: Graph): Promise<Engine | undefined> {
  const library = optional("@lancedb/lancedb") as Library | undefined
  if (!library) return undefined
  const folder = await mkdtemp(join(tmpdir(), "voxkin-bench-lance-"))
  const database = await library.connect(folder)
  const batch = (start: number): Rows =>
    Array.from({ length: Math.min(10_000, vectors.length / dim - start) }, (_, i) => ({
      row: start + i,
      vector: vectors.slice((start + i) * dim, (start + i + 1) * dim),
    }))
  const table = await database.createTable("vectors", batch(0))
  for (let start = 10_000; start < vectors.length / dim; start += 10_000) await table.add(batch(start))
  if (graph) {
    const { m, efConstruction } = graph
    const config = library.Index.hnswSq({ distanceType: "dot", numPartitions: 1, m, efConstruction })
    await table.createIndex("vector", { config })
    await table.waitForIndex(["vector_idx"], 3600)
  }
  return {
    search: (query, k) =>
      timed(async () => {
        const all = table.vectorSearch(query).distanceType("dot").select(["row", "_distance"]).limit(k)
        const found = graph ? all.ef(graph.ef).refineFactor(refine) : all
        return (await found.toArray()).map(({ row }) => Number(row))
      }),
    async close() {
      database.close()
      await rm(folder, { recursive: true })
    },
  }
}
