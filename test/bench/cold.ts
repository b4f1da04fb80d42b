/**
 * Cold start: from the start of a process to its first correct answer, the snapshot on local disk (and in the page
 * cache, for both). Ours, bundled into one file as a function is deployed, against a plain Node process that loads an
 * hnswlib-node f32 index of the same vectors and answers. `npm run bench -- cold [COUNT…]`, 137 000 × 864 without.
 */
import { execFileSync } from "node:child_process"
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { buildSync } from "esbuild"
import { createCohort } from "#shared/cohort/cohort.ts"
import { topK } from "#shared/exact/top-k.ts"
import { buildColumns } from "#shared/retrieval/columns.ts"
import { hnswAvailable } from "#shared/retrieval/hnsw.ts"
import { contentParts, indexParts, writeSnapshot } from "#shared/retrieval/write.ts"
import { diskStore } from "#shared/store/disk.ts"
import { putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import { dot } from "#shared/vector.ts"
import { unitVectors } from "../retrieval/random.ts"

const dim = 864
const k = 10
const rounds = 5
/** Beyond it the graph takes an hour to build: ours alone. */
const mostForGraph = 150_000
const here = (name: string) => resolve(import.meta.dirname, "cold", name)

interface Run {
  /** From the start of the process to its answer. */
  ms: number
  peakMb: number
  rows: number[]
}

async function coldStart(count: number): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), "voxkin-cold-"))
  try {
    const truth = await prepare(data, count)
    const programs = new Map([["voxkin", [bundled(data), data]]])
    if (count <= mostForGraph) programs.set("plain hnswlib-node", [here("plain.mjs"), data, `${dim}`, `${k}`])
    const runs = new Map([...programs.keys()].map((name) => [name, [] as Run[]]))
    for (let round = 0; round < rounds; round++) {
      for (const [name, args] of programs) runs.get(name)!.push(start(args))
    }
    const median = (of: Run[], what: "ms" | "peakMb") =>
      of.map((run) => run[what]).toSorted((a, b) => a - b)[rounds >> 1]
    const bare = runs.get("plain hnswlib-node")
    console.log(`${count} × ${dim}, ${rounds} starts each, in turn`)
    console.table(
      Object.fromEntries(
        [...runs].map(([name, of]) => [
          name,
          {
            "median ms": Math.round(median(of, "ms")),
            "least ms": Math.round(Math.min(...of.map(({ ms }) => ms))),
            "peak MB": Math.round(median(of, "peakMb")),
            [`recall@${k}`]: of[0].rows.filter((row) => truth.includes(row)).length / truth.length,
            ...(bare
              ? {
                  "time ×": +(median(of, "ms") / median(bare, "ms")).toFixed(2),
                  "memory ×": +(median(of, "peakMb") / median(bare, "peakMb")).toFixed(2),
                }
              : {}),
          },
        ]),
      ),
    )
  } finally {
    rmSync(data, { recursive: true })
  }
}

/** Writes the snapshot, the plain index and the query; returns the rows that the answer should hold. */
async function prepare(data: string, count: number): Promise<number[]> {
  const made = unitVectors({ count: count + 1, dim })
  const vectors = made.subarray(0, count * dim)
  const query = made.slice(count * dim)
  const objects = diskStore(join(data, "objects"))
  const encoder = "bench-0123456789ab"
  const now = new Date()
  await createCohort(objects, "bench", encoder, now)
  const series = Array.from({ length: count }, (_, row) => `s-${row.toString(16).padStart(32, "0")}`)
  const content = {
    dim,
    vectors,
    series,
    source: series.map((_, row) => `archive/${row}.nii.gz`),
    columns: buildColumns(series.map((_, row) => ({ age: row % 90 }))),
    missing: [],
  }
  const engine = count <= mostForGraph && (await hnswAvailable()).available ? "hnsw" : "exact"
  // How well the graph was built does not matter to who loads it.
  const index = await indexParts(content, { engine, m: 16, efConstruction: 40 })
  const graph = index.parts.find(({ name }) => name === "graph.hnsw")
  if (graph) writeFileSync(join(data, "graph.hnsw"), graph.bytes)
  writeFileSync(join(data, "query.json"), JSON.stringify([...query]))
  const { snapshot, sha256 } = await writeSnapshot(
    objects,
    [...contentParts(content), ...index.parts],
    {
      cohort: "bench",
      encoder,
      pooling: "mean",
      dim,
      metric: "cosine",
      count,
      engine,
      ef: index.ef,
      ...(graph ? { m: 16, efConstruction: 40 } : { m: null, efConstruction: null }),
      recallAt10: index.recallAt10,
    },
    now,
  )
  const live = { snapshot, encoder, manifest: sha256, at: now.toISOString(), history: [] }
  await putJson(objects, keys.current("bench"), live)
  const top = topK(k)
  for (let row = 0; row < count; row++) top.offer(row, dot(query, vectors, row * dim))
  return top.best().map(({ row }) => row)
}

function bundled(data: string): string {
  const outfile = join(data, "voxkin.mjs")
  buildSync({
    entryPoints: [here("voxkin.ts")],
    outfile,
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    external: ["hnswlib-node"],
    logLevel: "error",
  })
  copyFileSync(resolve(import.meta.dirname, "../../shared/kernel/scan.wasm"), join(data, "scan.wasm"))
  return outfile
}

/** Node 22 keeps compiled code between starts, of either program; Node 20 does not know the variable. */
const env = { ...process.env, NODE_COMPILE_CACHE: mkdtempSync(join(tmpdir(), "voxkin-code-")) }

/** By its own clock: what it takes to fork from this process, which holds gigabytes, is nobody's start. */
function start(args: string[]): Run {
  const text = execFileSync(process.execPath, args, { encoding: "utf8", env })
  const { ms, peakKb, rows } = JSON.parse(text) as { ms: number; peakKb: number; rows: number[] }
  return { ms, peakMb: peakKb / 1024, rows }
}

const counts = process.argv.slice(2).map(Number)
for (const count of counts.length > 0 ? counts : [137_000]) await coldStart(count)
rmSync(env.NODE_COMPILE_CACHE, { recursive: true, force: true })
