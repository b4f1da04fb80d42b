/**
 * Search on 20 000 × 144 vectors of 200 clusters: exact, exact over 1 % of the rows, HNSW, and a bare hnswlib-node
 * graph of the same settings beside it. Medians of 200 queries in one run.
 */
import { createRequire } from "node:module"
import { exactIndex } from "#shared/retrieval/exact.ts"
import { buildHnsw, openHnsw } from "#shared/retrieval/hnsw.ts"
import { unit } from "#shared/vector.ts"

const rows = 20_000
const dim = 144
const clusters = 200
const k = 10
const ef = 64

/** Seeded, so that every run searches the same vectors (mulberry32, public domain). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const next = random(1)
const centre = Array.from({ length: clusters }, () => Float32Array.from({ length: dim }, () => next() - 0.5))
const near = () => {
  const c = centre[Math.floor(next() * clusters)]
  return unit(c.map((x) => x + 0.5 * (next() - 0.5)))!
}
const vectors = new Float32Array(rows * dim)
for (let row = 0; row < rows; row++) vectors.set(near(), row * dim)
const queries = Array.from({ length: 200 }, near)

/** Median ms of one query. */
async function median(search: (query: Float32Array) => unknown): Promise<number> {
  for (const query of queries.slice(0, 20)) await search(query)
  const times: number[] = []
  for (const query of queries) {
    const started = performance.now()
    await search(query)
    times.push(performance.now() - started)
  }
  return times.sort((a, b) => a - b)[times.length / 2]
}

const exact = await exactIndex({ dim, vectors })
const some = Uint32Array.from({ length: rows / 100 }, (_, i) => i * 100)
const all = await median((query) => exact.search(query, { k }))
const filtered = await median((query) => exact.search(query, { k, rows: some }))

const began = performance.now()
const graph = await openHnsw(await buildHnsw({ dim, vectors }), { dim, vectors })
const built = performance.now() - began
const hnsw = await median((query) => graph.search(query, { k, ef }))

const library = createRequire(import.meta.url)("hnswlib-node") as typeof import("hnswlib-node")
const bare = new library.HierarchicalNSW("ip", dim)
bare.initIndex(rows, 16, 200, 100)
for (let row = 0; row < rows; row++) bare.addPoint([...vectors.subarray(row * dim, (row + 1) * dim)], row)
bare.setEf(ef)
const bareMs = await median((query) => bare.searchKnn([...query], k))

let hits = 0
for (const query of queries) {
  const right = new Set((await exact.search(query, { k })).found.map(({ row }) => row))
  hits += (await graph.search(query, { k, ef })).found.filter(({ row }) => right.has(row)).length
}

console.table({
  "exact, all rows": { ms: all, "× exact": 1 },
  "exact, 1 % of the rows": { ms: filtered, "× exact": filtered / all },
  [`hnsw, ef ${ef}`]: { ms: hnsw, "× exact": hnsw / all, "× bare": hnsw / bareMs },
  "hnswlib-node, bare": { ms: bareMs, "× exact": bareMs / all, "× bare": 1 },
})
console.log(
  `recall@${k} ${hits / (k * queries.length)}; the graph was built and opened in ${(built / 1000).toFixed(1)} s`,
)
