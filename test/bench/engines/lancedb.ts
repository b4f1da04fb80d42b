import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Engine, optional, timed, type Vectors } from "./engine.ts"

type Rows = { row: number; vector: Float32Array }[]

interface Query {
  distanceType(type: "dot"): Query
  select(columns: string[]): Query
  limit(k: number): Query
  toArray(): Promise<{ row: number }[]>
}

interface Table {
  add(rows: Rows): Promise<unknown>
  vectorSearch(query: Float32Array): Query
}

interface Library {
  connect(folder: string): Promise<{ createTable(name: string, rows: Rows): Promise<Table>; close(): void }>
}

/** A LanceDB table without an index, so that it scans every row; it takes as many threads as it likes. */
export async function lancedb({ dim, vectors }: Vectors): Promise<Engine | undefined> {
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
  return {
    search: (query, k) =>
      timed(async () => {
        const found = table.vectorSearch(query).distanceType("dot").select(["row", "_distance"]).limit(k)
        return (await found.toArray()).map(({ row }) => Number(row))
      }),
    async close() {
      database.close()
      await rm(folder, { recursive: true })
    },
  }
}
