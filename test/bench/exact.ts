/**
 * Exact search on 100 000 × 864 vectors: ours on int8 codes and on f32, plain TypeScript, and usearch, LanceDB and faiss
 * where they are installed; then filters of several selectivities. All in one run, and in turn.
 */

import { makeCodes } from "#shared/exact/codes.ts"
import { topK } from "#shared/exact/top-k.ts"
import { mostRows } from "#shared/kernel/scan.ts"
import { buildColumns } from "#shared/retrieval/columns.ts"
import { exactIndex } from "#shared/retrieval/exact.ts"
import { parseFilter } from "#shared/retrieval/filter-parse.ts"
import { select } from "#shared/retrieval/select.ts"
import { dot } from "#shared/vector.ts"
import { random } from "../retrieval/random.ts"
import { compare, count, dim, engine, installed, k, queries, rowsOf, vectors } from "./engines/compare.ts"
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
const next = random(3)
/** Of a thousand rows one is rare, 10 seldom, 100 frequent, 500 usual. */
const findings = Array.from({ length: 1000 }, (_, i) =>
  i < 1 ? "rare" : i < 11 ? "seldom" : i < 111 ? "frequent" : i < 611 ? "usual" : null,
)
const columns = buildColumns(
  Array.from({ length: count }, () => ({
    finding: findings[Math.floor(1000 * next())],
    age: Math.floor(100 * next()),
    risk: Math.floor(100 * next()),
    grade: Math.floor(100 * next()),
    dose: next(),
  })),
)
const find = (filter: string) => select(parseFilter(filter), columns)
await sideBySide()
finding("finding=rare", "age<50", "age>=40 & age<60", "age=7 & dose<.01", "age in (1,2,3) | !(dose>=.01)")
for (const finding of ["rare", "seldom", "frequent", "usual"]) await filtered(`finding=${finding}`)
for (const share of [".0001", ".001", ".01", ".1", ".5", ".9"]) await filtered(`dose<${share}`)
for (const filter of [
  "age<10 & dose<.01",
  "age=7 & dose<.1",
  "age=7 & dose<.01",
  "age<10 & risk<10 & grade<10",
])
  await filtered(filter)

async function sideBySide(): Promise<void> {
  const against = "usearch exact f32, one thread"
  const there = installed([
    ["codes, rescored", engine((query) => rowsOf(codes, query))],
    ["f32, rescored", engine((query) => rowsOf(floats, query))],
    ["plain TypeScript", engine(plain)],
    [against, usearch({ dim, vectors }, 1)],
    ["usearch exact f32, all cores", usearch({ dim, vectors }, 0)],
    ["LanceDB flat, all cores", await lancedb({ dim, vectors })],
    ["faiss flat, one thread", await faiss({ dim, vectors })],
  ])
  await compare(there, { truth: queries.map(plain), against })
}

/**
 * A search that finds the rows first that pass, and one that is given them; against a scan of just these rows in f32, which
 * answers too; the kernel of codes alone on these rows, which answers nothing, and leaves out what rescoring takes; and
 * an index that holds a copy of just these rows, one after the other.
 */
async function filtered(filter: string): Promise<void> {
  const rows = find(filter)
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
    ["the rows given", engine((query) => rowsOf(codes, query, { rows }))],
    [`the filter ${filter}`, engine((query) => rowsOf(codes, query, { rows: find(filter) }))],
  ])
  await compare(engines, { truth, against })
}

/** What it takes to parse a filter and find the rows that pass. */
function finding(...filters: string[]): void {
  const micros = (filter: string) => {
    const times = Array.from({ length: 10_000 }, () => {
      const began = performance.now()
      find(filter)
      return performance.now() - began
    })
    return Math.round(1000 * times.sort((a, b) => a - b)[5000])
  }
  console.table(
    Object.fromEntries(filters.map((filter) => [filter, { rows: find(filter).length, µs: micros(filter) }])),
  )
}
