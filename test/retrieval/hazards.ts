import { buildHnsw, openHnsw } from "#shared/retrieval/hnsw.ts"
import { unitVectors } from "./random.ts"

/**
 * Run as a child, since each of these ends or spoils a process that hands it to hnswlib: tries them one after the other
 * and prints a line for each, `name: what came of it`. After every one a sound graph must still answer.
 */
const dim = 8
const vectors = unitVectors({ count: 100, dim })
const graph = await buildHnsw({ dim, vectors })
const index = await openHnsw(graph, { dim, vectors })
const query = vectors.slice(0, dim)
// biome-ignore lint/suspicious/noExplicitAny: what TypeScript would not let through
const wrong = (value: unknown) => value as any

const hazards: Record<string, () => unknown> = {
  "a query of strings": () => index.search(wrong(["a", "b", "c", "d", "e", "f", "g", "h"]), { k: 3 }),
  // biome-ignore lint/suspicious/noSparseArray: the hole is the point
  "a query with a hole": () => index.search(wrong([1, , 0, 0, 0, 0, 0, 0]), { k: 3 }),
  "a query with NaN": () => index.search(query.with(2, Number.NaN), { k: 3 }),
  "a query too short": () => index.search(query.slice(1), { k: 3 }),
  "a query too long": () => index.search(new Float32Array(9), { k: 3 }),
  "k beyond the size, ef beyond it too": () => index.search(query, { k: 1e9, ef: 1e9 }),
  "k below one": () => index.search(query, { k: -1 }),
  "a row filter": () => index.search(query, { k: 3, rows: new Uint32Array([1]) }),
  "a graph that is text": () => openHnsw(new TextEncoder().encode("no graph"), { dim, vectors }),
  "a graph cut short": () => openHnsw(graph.subarray(0, graph.length >> 1), { dim, vectors }),
  "a graph of another dim": () => openHnsw(graph, { dim: 4, vectors }),
  "a graph of more rows": () => openHnsw(graph, { dim, vectors: vectors.slice(dim) }),
  "m 0": () => buildHnsw({ dim, vectors, m: 0 }),
  "NaN in a row": () => buildHnsw({ dim, vectors: vectors.with(9, Number.NaN) }),
  "strings for rows": () => buildHnsw({ dim, vectors: wrong(Array.from(vectors, String)) }),
  "searches while others open and fail to": async () => {
    const opening = Array.from({ length: 6 }, (_, i) =>
      openHnsw(i % 2 === 0 ? graph : graph.subarray(1), { dim, vectors }).catch(() => undefined),
    )
    for (let i = 0; i < 200; i++) await index.search(query, { k: 5 })
    const opened = (await Promise.all(opening)).filter((found) => found !== undefined)
    return {
      found: (await Promise.all(opened.map((one) => one.search(query, { k: 1 })))).map(
        ({ found }) => found[0],
      ),
    }
  },
  "no folder for its file": async () => {
    process.env.TMPDIR = "/nowhere/at/all"
    try {
      return await openHnsw(graph, { dim, vectors })
    } finally {
      delete process.env.TMPDIR
    }
  },
}

for (const [name, attempt] of Object.entries(hazards)) {
  let outcome: string
  try {
    outcome = `${((await attempt()) as { found: unknown[] }).found.length} found`
  } catch (thrown) {
    outcome = (thrown as { code?: string }).code ?? String(thrown)
  }
  const { found } = await index.search(query, { k: 1 })
  if (found[0].row !== 0) outcome += ", and the index is spoilt"
  console.log(`${name}: ${outcome}`)
}
