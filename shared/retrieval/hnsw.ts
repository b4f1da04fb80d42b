import { mkdtemp, open, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { Fault, reason } from "#shared/errors.ts"
import { byScore } from "#shared/exact/top-k.ts"
import { dot } from "#shared/vector.ts"
import { checkGraph } from "./hnsw-graph.ts"
import { checkQuery } from "./query.ts"
import type { VectorIndex } from "./vector-index.ts"

/**
 * hnswlib ends the process, or quietly spoils its graph, on what it does not expect (DESIGN §7). So: every number is
 * checked before it sees it, it gets plain arrays, it loads only files that `checkGraph` passed, a search never meets
 * a load, and it is never given a filter callback.
 *
 * The space is `ip`: rows and queries are unit vectors already, `cosine` would only normalise (and round) them again.
 */
const space = "ip"

type Library = typeof import("hnswlib-node")

/** An optional dependency that is compiled at install: it may be absent. */
const library: () => Promise<Library> = async () => (await import("hnswlib-node")).default

export async function hnswAvailable(): Promise<{ available: true } | { available: false; reason: string }> {
  return library().then(
    () => ({ available: true as const }),
    (thrown) => ({ available: false as const, reason: reason(thrown) }),
  )
}

export interface BuildOptions {
  dim: number
  /** [size, dim], each row of unit length. */
  vectors: Float32Array
  /** Links per row and level; hnswlib's own default. */
  m?: number
  /** Candidates weighed for each row's links; hnswlib's own default. */
  efConstruction?: number
  seed?: number
  onProgress?: (done: number, total: number) => void
}

/**
 * The graph over `vectors` as the bytes of hnswlib's file; the same input gives the same bytes. Takes minutes for
 * 100 000 rows on one core, but lets the event loop run in between.
 * @throws Fault `unavailable` / `no-hnsw` when the library is absent
 */
export async function buildHnsw(options: BuildOptions): Promise<Uint8Array> {
  const { dim, vectors, m = 16, efConstruction = 200, seed = 100, onProgress } = options
  const size = vectors.length / dim
  need(
    Number.isInteger(dim) && dim >= 1 && Number.isInteger(size) && size >= 1,
    "vectors are not rows of dim",
  )
  need(Number.isInteger(m) && m >= 2 && m <= 1024, "m must be 2 to 1024")
  need(
    Number.isInteger(efConstruction) && efConstruction >= m && efConstruction <= 10_000,
    "bad efConstruction",
  )
  need(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32, "seed must be a 32-bit number")
  need(vectors.every(Number.isFinite), "vectors hold NaN or infinity")

  const { HierarchicalNSW } = await load()
  const graph = new HierarchicalNSW(space, dim)
  graph.initIndex({ maxElements: size, m, efConstruction, randomSeed: seed })
  let breath = performance.now()
  for (let row = 0; row < size; row++) {
    graph.addPoint(Array.from(vectors.subarray(row * dim, (row + 1) * dim)), row)
    if (performance.now() - breath < 50) continue
    onProgress?.(row + 1, size)
    await setImmediate()
    breath = performance.now()
  }
  onProgress?.(size, size)
  return inPrivateFile(async (file) => {
    await graph.writeIndex(file)
    const bytes = await readWhole(file)
    // The library does not notice a full disk: what it wrote must be whole.
    checkGraph(bytes, { dim, size })
    return bytes
  })
}

/**
 * Opens a graph over the vectors it was built from. Scores are computed anew from these, so they are the same as
 * the exact index gives.
 * @throws Fault `unavailable` / `bad-graph` when the bytes are no graph of this shape, `no-hnsw` without the library
 */
export async function openHnsw(
  bytes: Uint8Array,
  { dim, vectors }: { dim: number; vectors: Float32Array },
): Promise<VectorIndex> {
  const size = vectors.length / dim
  checkGraph(bytes, { dim, size })
  const { HierarchicalNSW } = await load()
  const graph = new HierarchicalNSW(space, dim)
  await inPrivateFile(async (file) => {
    await writeFile(file, bytes, { mode: 0o600 })
    // Asynchronous is safe here: nobody else has this object until it is loaded, and it is alive for its last line.
    await graph.readIndex(file)
  })

  return {
    dim,
    size,
    async search(query, { k, rows, ef = 64 }) {
      if (rows)
        throw new Fault("invalid", "no-row-filter", "HNSW takes no subset of rows: use the exact index")
      checkQuery(query, dim)
      const most = Math.min(k, size)
      if (most < 1) return { found: [], rescored: 0 }
      // ef is the library's state, and 10 after a load; set and search happen in one go.
      graph.setEf(Math.min(Math.max(ef, most), size))
      const { neighbors } = graph.searchKnn(plainArray(query), most)
      const found = neighbors.map((row) => ({ row, score: dot(query, vectors, row * dim) })).sort(byScore)
      return { found, rescored: found.length }
    },
  }
}

/** As `Array.from` makes it, in a tenth of the time. */
function plainArray(numbers: Float32Array): number[] {
  const array = new Array<number>(numbers.length)
  for (let i = 0; i < numbers.length; i++) array[i] = numbers[i]
  return array
}

async function load(): Promise<Library> {
  try {
    return await library()
  } catch (cause) {
    throw new Fault(
      "unavailable",
      "no-hnsw",
      "hnswlib-node is not installed: install a C++ compiler and run `npm ci` again, or use the exact engine",
      { cause },
    )
  }
}

/** Of any size: `readFile` stops at 2 GiB, which 600 000 rows of 864 reach. */
async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(path)
  try {
    const bytes = new Uint8Array((await file.stat()).size)
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(bytes.length - at, 2 ** 30), at)
      if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`)
      at += bytesRead
    }
    return bytes
  } finally {
    await file.close()
  }
}

/** The library reads and writes files only: one in a folder of ours alone, gone afterwards. */
async function inPrivateFile<T>(use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "voxkin-hnsw-"))
  try {
    return await use(join(folder, "graph.hnsw"))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function need(holds: boolean, what: string): void {
  if (!holds) throw new Fault("invalid", "bad-index", `cannot build an HNSW index: ${what}`)
}
