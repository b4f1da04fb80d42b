import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Engine, Graph, Vectors } from "./engine.ts"

/** Reads queries as JSON lines, answers rows and ms as JSON lines; times the search alone, not the pipe. */
const server = `
import json, sys, time, faiss, numpy
file, dim, graph = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
index = faiss.IndexFlatIP(dim)
if graph:
    index = faiss.IndexHNSWFlat(dim, graph["m"], faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction, index.hnsw.efSearch = graph["efConstruction"], graph["ef"]
index.add(numpy.fromfile(file, numpy.float32).reshape(-1, dim))
faiss.omp_set_num_threads(1)
for line in sys.stdin:
    asked = json.loads(line)
    query = numpy.array([asked["query"]], numpy.float32)
    started = time.perf_counter()
    rows = index.search(query, asked["k"])[1][0]
    ms = 1000 * (time.perf_counter() - started)
    print(json.dumps({"rows": rows.tolist(), "ms": ms}), flush=True)
`

/**
 * faiss' index of inner products, flat or a graph, searched on one thread, in a Python process; undefined where PATH's
 * python3 has no faiss.
 */
export async function faiss({ dim, vectors }: Vectors, graph?: Graph): Promise<Engine | undefined> {
  if (spawnSync("python3", ["-c", "import faiss"]).status !== 0) return undefined
  const folder = await mkdtemp(join(tmpdir(), "voxkin-bench-faiss-"))
  const file = join(folder, "vectors.f32")
  await writeFile(file, new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength))
  const child = spawn("python3", ["-c", server, file, String(dim), JSON.stringify(graph ?? null)], {
    stdio: ["pipe", "pipe", "inherit"],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async search(query, k) {
      child.stdin.write(`${JSON.stringify({ query: Array.from(query), k })}\n`)
      const line = await lines.next()
      if (line.done) throw new Error("faiss ended")
      return JSON.parse(line.value)
    },
    async close() {
      child.stdin.end()
      await once(child, "close")
      await rm(folder, { recursive: true })
    },
  }
}
