/**
 * HNSW on 100 000 × 864 vectors beside a bare hnswlib-node on the same graph, and beside the exact engine; then beside
 * the graphs of usearch, LanceDB and faiss, where they are installed. Building a graph takes minutes.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { exactIndex } from "#shared/retrieval/exact.ts"
import { buildHnsw, openHnsw } from "#shared/retrieval/hnsw.ts"
import { compare, dim, engine, installed, k, queries, rowsOf, vectors } from "./engines/compare.ts"
import { faiss } from "./engines/faiss.ts"
import { lancedb } from "./engines/lancedb.ts"
import { usearchGraph } from "./engines/usearch.ts"

const settings = { m: 16, efConstruction: 200, ef: 64 }
const { ef } = settings
const exact = await exactIndex({ dim, vectors })
const truth: number[][] = []
for (const query of queries) truth.push(await rowsOf(exact, query))

const began = performance.now()
const bytes = await buildHnsw({ dim, vectors, ...settings })
const graph = await openHnsw(bytes, { dim, vectors })
console.log(`graph built and opened in ${((performance.now() - began) / 1000).toFixed(0)} s`)

const library = createRequire(import.meta.url)("hnswlib-node") as typeof import("hnswlib-node")
const bare = new library.HierarchicalNSW("ip", dim)
const folder = mkdtempSync(join(tmpdir(), "voxkin-bench-hnsw-"))
writeFileSync(join(folder, "graph"), bytes)
bare.readIndexSync(join(folder, "graph"))
rmSync(folder, { recursive: true })
bare.setEf(ef)
// The library wants plain arrays; made beforehand, so that its time is the search alone.
const arrays = new Map<Float32Array, number[]>(queries.map((query) => [query, Array.from(query)]))

const against = "hnswlib-node, bare"
const engines = new Map([
  [against, engine((query) => bare.searchKnn(arrays.get(query) ?? Array.from(query), k).neighbors)],
  [`hnsw, ef ${ef}`, engine((query) => rowsOf(graph, query, { ef }))],
  ["exact", engine((query) => rowsOf(exact, query))],
])
// Twice: which of the two goes first finds the graph's rows in no cache.
await compare(engines, { truth, against })
await compare(new Map([...engines].reverse()), { truth, against })

const ours = `voxkin, ef ${ef}`
const others = installed([
  [ours, engine((query) => rowsOf(graph, query, { ef }))],
  [`usearch, ef ${ef}, one thread`, usearchGraph({ dim, vectors }, settings)],
  [`LanceDB HNSW-SQ, ef ${ef}, rescored`, await lancedb({ dim, vectors }, settings)],
  [`faiss HNSW, ef ${ef}, one thread`, await faiss({ dim, vectors }, settings)],
])
await compare(others, { truth, against: ours })
