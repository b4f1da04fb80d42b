import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { describe, expect, test, vi } from "vitest"
import { buildHnsw, hnswAvailable, openHnsw } from "#shared/retrieval/hnsw.ts"
import { vectorIndexContract } from "../contracts/vector-index.ts"
import { unitVectors } from "./random.ts"

const hnsw = await hnswAvailable()

// hnswlib-node is optional: without a compiler there is none, and exact answers alone.
describe.skipIf(!hnsw.available)("hnsw", () => {
  vectorIndexContract("hnsw", async (built) => openHnsw(await buildHnsw(built), built), {
    recallAt10: 0.97,
    rows: "refused",
  })

  const dim = 16
  const vectors = unitVectors({ count: 300, dim })

  test("the same vectors make the same bytes", async () => {
    const [a, b] = [await buildHnsw({ dim, vectors }), await buildHnsw({ dim, vectors })]
    expect(Buffer.compare(a, b)).toBe(0)
  })

  test("leaves nothing behind in the temporary folder", async () => {
    const folder = mkdtempSync(join(tmpdir(), "voxkin-test-"))
    vi.stubEnv("TMPDIR", folder)
    try {
      await openHnsw(await buildHnsw({ dim, vectors }), { dim, vectors })
      expect(readdirSync(folder)).toEqual([])
    } finally {
      vi.unstubAllEnvs()
      rmSync(folder, { recursive: true })
    }
  })

  test.each([
    ["NaN in a vector", { dim, vectors: vectors.with(40, Number.NaN) }],
    ["no rows", { dim, vectors: new Float32Array(0) }],
    ["a ragged row", { dim: 7, vectors }],
    ["m 0", { dim, vectors, m: 0 }],
    ["m 1", { dim, vectors, m: 1 }],
    ["m that is no number", { dim, vectors, m: Number.NaN }],
    ["efConstruction below m", { dim, vectors, efConstruction: 4 }],
    ["a seed beyond 32 bits", { dim, vectors, seed: 2 ** 32 }],
  ])("refuses to build with %s", async (_, options) => {
    await expect(buildHnsw(options)).rejects.toMatchObject({ code: "bad-index" })
  })

  test("refuses a graph of other vectors' shape, which the library would take", async () => {
    const graph = await buildHnsw({ dim, vectors })
    const refused = { kind: "unavailable", code: "bad-graph" }
    await expect(openHnsw(graph, { dim: 8, vectors })).rejects.toMatchObject(refused)
    await expect(openHnsw(graph, { dim, vectors: vectors.slice(dim) })).rejects.toMatchObject(refused)
    await expect(openHnsw(graph.subarray(0, -1), { dim, vectors })).rejects.toMatchObject(refused)
    await expect(openHnsw(new Uint8Array(), { dim, vectors })).rejects.toMatchObject(refused)
  })

  test("nothing that would end a process, or spoil its graph, reaches the library", () => {
    const child = resolve(import.meta.dirname, "hazards.ts")
    const said = execFileSync(process.execPath, ["--import", "tsx", child], { encoding: "utf8" })
    expect(said.trimEnd().split("\n")).toEqual([
      "a query of strings: bad-vector",
      "a query with a hole: bad-vector",
      "a query with NaN: bad-vector",
      "a query too short: wrong-dim",
      "a query too long: wrong-dim",
      "k beyond the size, ef beyond it too: 100 found",
      "k below one: 0 found",
      "a row filter: no-row-filter",
      "a graph that is text: bad-graph",
      "a graph cut short: bad-graph",
      "a graph of another dim: bad-graph",
      "a graph of more rows: bad-graph",
      "m 0: bad-index",
      "NaN in a row: bad-index",
      "strings for rows: bad-index",
      "searches while others open and fail to: 3 found",
      "no folder for its file: ENOENT",
    ])
  })

  test("no flipped bit of a graph ends the process", () => {
    // In a child: what is tested for is the end of the process.
    const child = resolve(import.meta.dirname, "flipped-graphs.ts")
    const answer = execFileSync(process.execPath, ["--import", "tsx", child], { encoding: "utf8" })
    const { flips, refused } = JSON.parse(answer)
    expect(flips).toBe(1500)
    // Bits of vectors change no link: the snapshot's sha256 finds those. The rest are refused here.
    expect(refused).toBeGreaterThan(300)
  })
})
