/**
 * Exact search on 100 000 × 864 vectors: ours on int8 codes and on f32, plain TypeScript, and usearch, LanceDB and faiss
 * where they are installed; then filters of several selectivities. All in one run, and in turn.
 */

import { makeCodes } from "#shared/exact/codes.ts"
import { topK } from "#shared/exact/top-k.ts"
import { mostRows } from "#shared/kernel/scan.ts"
import { exactIndex } from "#shared/retrieval/exact.ts"
import { dot } from "#shared/vector.ts"
import { random } from "../retrieval/random.ts"
import { compare, count, dim, engine, k, queries, rowsOf, vectors } from "./engines/compare.ts"
import type { Engine } from "./engines/engine.ts"
import { faiss } from "./engines/faiss.ts"
import { lancedb } from "./engines/lancedb.ts"
import { usearch } from "./engines/usearch.ts"

function plain(query: Float32Array): number[] {
  const top = topK(k)
  for (let row = 0; row < count; row++) top.offer(row, dot(query, vectors, row * dim))
  return top.best().map(({ row }) => row)
}

const began = performance.now()
const codes = await exactIndex({ dim, vectors })
console.log(`codes of ${count} × ${dim} in ${((performance.now() - began) / 1000).toFixed(2)} s`)
let rescored = 0
for (const query of queries) rescored += (await codes.search(query, { k })).rescored
console.log(`rescored: ${rescored / queries.length} rows a query`)

const floats = await exactIndex({ dim, vectors }, "floats")
await sideBySide()
for (const share of [0.001, 0.01, 0.1, 0.5]) await filtered(share)

async function sideBySide(): Promise<void> {
  const against = "usearch exact f32, one thread"
  const wanted: [string, Engine | undefined][] = [
    ["codes, rescored", engine((query) => rowsOf(codes, query))],
    ["f32, rescored", engine((query) => rowsOf(floats, query))],
    ["plain TypeScript", engine(plain)],
    [against, usearch({ dim, vectors }, 1)],
    ["usearch exact f32, all cores", usearch({ dim, vectors }, 0)],
    ["LanceDB flat, all cores", await lancedb({ dim, vectors })],
    ["faiss flat, one thread", await faiss({ dim, vectors })],
  ]
  const there = new Map(wanted.filter((entry): entry is [string, Engine] => entry[1] !== undefined))
  if (there.size < wanted.length) {
    const missing = wanted.filter(([, engine]) => !engine).map(([name]) => name)
    console.log(
      `not installed: ${missing.join("; ")}. They need \`npm install --no-save usearch @lancedb/lancedb\`, ` +
        "and a python3 on PATH with faiss-cpu and numpy",
    )
  }
  await compare(there, { truth: queries.map(plain), against })
}

/**
 * Against a scan of just the same rows in f32, which answers too; the kernel of codes alone on these rows, which answers
 * nothing, and leaves out what rescoring takes; and an index that holds a copy of just these rows, one after the other.
 */
async function filtered(share: number): Promise<void> {
  const next = random(3)
  const rows = Uint32Array.from({ length: count }, (_, row) => row).filter(() => next() < share)
  const copy = new Float32Array(rows.length * dim)
  for (const [i, row] of rows.entries()) copy.set(vectors.subarray(row * dim, (row + 1) * dim), i * dim)
  const compact = await exactIndex({ dim, vectors: copy })
  const { kernel, terms } = await makeCodes({ dim, vectors })
  const scanOnly = (query: Float32Array) => {
    kernel.query.set(terms(query).bytes)
    for (let i = 0; i < rows.length; i += mostRows) {
      kernel.scan({ list: rows.subarray(i, i + mostRows) }, Number.POSITIVE_INFINITY, 0)
    }
    return []
  }
  const truth = []
  for (const query of queries) truth.push(await rowsOf(codes, query, { rows }))
  const against = `f32 scan of just ${rows.length} rows`
  const engines = new Map([
    [against, engine((query) => rowsOf(floats, query, { rows }))],
    ["kernel of codes alone, no answer", engine(scanOnly)],
    ["index of just these rows", engine(async (query) => (await rowsOf(compact, query)).map((i) => rows[i]))],
    ["filtered search", engine((query) => rowsOf(codes, query, { rows }))],
  ])
  await compare(engines, { truth, against })
}
