/**
 * Search on 20 000 × 144 vectors of 200 clusters: exact, exact over 1 % of the rows, HNSW, and a bare hnswlib-node
 * graph of the same settings beside it; and what HTTP adds to a search of 2 000. Medians of 200 queries in one run.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startServer } from "#functions/serve.ts"
import { createCohort } from "#shared/cohort/cohort.ts"
import { addMember } from "#shared/cohort/members.ts"
import { encodeFeatures } from "#shared/features/encode.ts"
import { exactIndex } from "#shared/retrieval/exact.ts"
import { buildHnsw, openHnsw } from "#shared/retrieval/hnsw.ts"
import { openSnapshot } from "#shared/retrieval/open.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { search } from "#shared/retrieval/search.ts"
import { diskStore } from "#shared/store/disk.ts"
import { keys } from "#shared/store/keys.ts"
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

await overHttp(2000)

/** A cohort of the first vectors, asked in process and over a socket in turn. */
async function overHttp(count: number): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), "voxkin-bench-"))
  try {
    const objects = diskStore(join(data, "objects"))
    const encoder = "bench-0123456789ab"
    const now = new Date()
    await createCohort(objects, "bench", encoder, now)
    const ids = Array.from({ length: count }, (_, row) => `s-${row.toString(16).padStart(32, "0")}`)
    for (const [row, series] of ids.entries()) {
      const mean = vectors.slice(row * dim, (row + 1) * dim)
      await objects.put(keys.features(encoder, series), encodeFeatures(featuresOf(series, encoder, mean)))
      await addMember(objects, "bench", { series, source: `row ${row}` }, now)
    }
    await publish(objects, { cohort: "bench", now })
    const snapshot = await openSnapshot(objects, "bench")
    const server = await startServer({ data, host: "127.0.0.1", port: 0 })
    let asked = 0
    const request = () => ({ cohort: "bench", query: { series: ids[asked++ % count] }, k })
    const inProcess = await median(() =>
      search(objects, { snapshot, deleted: new Set(), fresh: [], cold: false, damaged: [] }, request()),
    )
    const http = await median(async () => {
      const body = JSON.stringify(request())
      const headers = { "content-type": "application/json" }
      await (await fetch(`${server.url}/v1/search`, { method: "POST", body, headers })).json()
    })
    await server.close()
    console.table({
      [`search of ${count} in process`]: { ms: inProcess },
      "the same over HTTP": { ms: http, "adds ms": http - inProcess },
    })
  } finally {
    rmSync(data, { recursive: true })
  }
}

function featuresOf(series: string, encoder: string, mean: Float32Array) {
  const identity = [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => Number(i === j)))
  const shape = [1, 1, 1] as const
  const spacing = [1, 1, 1] as const
  const digest = "0".repeat(64)
  return {
    cls: mean,
    mean,
    patches: mean,
    grid: shape,
    receipt: {
      series,
      volume: {
        format: "nifti" as const,
        files: 1,
        orientation: "LPS",
        shape,
        spacing,
        affine: identity,
        notes: [],
      },
      preprocess: {
        clip: [-1000, 1900] as const,
        crop: { offset: [0, 0, 0] as const, shape },
        isotropic: { shape, spacing },
        budget: { shape },
        shape,
      },
      encoder: { id: encoder, digest, recipeDigest: digest },
      gridToPatient: identity,
      deidentification: "computed",
    },
  }
}
