import { cpus, loadavg } from "node:os"
import type { VectorIndex } from "#shared/retrieval/vector-index.ts"
import { unitVectors } from "../../retrieval/random.ts"
import { type Engine, timed } from "./engine.ts"

export const dim = 864
export const count = 100_000
export const k = 10
const rounds = 40
const seconds = 3

const made = unitVectors({ count: count + rounds, dim })
export const vectors = made.subarray(0, count * dim)
// Copies: some engines look at the whole buffer behind a view.
export const queries = Array.from({ length: rounds }, (_, q) =>
  made.slice((count + q) * dim, (count + q + 1) * dim),
)

export async function rowsOf(
  index: VectorIndex,
  query: Float32Array,
  options: { rows?: Uint32Array; ef?: number } = {},
): Promise<number[]> {
  return (await index.search(query, { k, ...options })).found.map(({ row }) => row)
}

export function engine(find: (query: Float32Array) => number[] | Promise<number[]>): Engine {
  return { search: (query) => timed(() => find(query)), close: async () => {} }
}

/** The engines that are there; says which are not. */
export function installed(wanted: [string, Engine | undefined][]): Map<string, Engine> {
  const there = wanted.filter((entry): entry is [string, Engine] => entry[1] !== undefined)
  const missing = wanted.filter(([, engine]) => !engine).map(([name]) => name)
  if (missing.length > 0) {
    console.log(
      `not installed: ${missing.join("; ")}. They need \`npm install --no-save usearch @lancedb/lancedb\`, ` +
        "and a python3 on PATH with faiss-cpu and numpy",
    )
  }
  return new Map(there)
}

/**
 * Asks all engines in turn, query by query, so that what else the machine does falls on all of them, and all queries over
 * and over until `seconds` are up: what takes microseconds is slow until it has been compiled. Prints the median ms of each
 * and the least, which a busy machine disturbs little, both as shares of `against`'s too.
 */
export async function compare(
  engines: ReadonlyMap<string, Engine>,
  { truth, against }: { truth: number[][]; against: string },
): Promise<void> {
  const asked = [...engines].map(([name, engine]) => ({ name, engine, times: [] as number[], hits: 0 }))
  for (const { engine } of asked) for (const query of queries.slice(0, 3)) await engine.search(query, k)
  const until = performance.now() + 1000 * seconds
  do {
    for (const [q, query] of queries.entries()) {
      for (const one of asked) {
        const { rows, ms } = await one.engine.search(query, k)
        one.times.push(ms)
        one.hits += rows.filter((row) => truth[q].includes(row)).length
      }
    }
  } while (performance.now() < until)
  for (const { engine } of asked) await engine.close()

  for (const { times } of asked) times.sort((a, b) => a - b)
  const median = ({ times }: { times: number[] }) => times[times.length >> 1]
  const least = ({ times }: { times: number[] }) => times[0]
  const base = asked.find(({ name }) => name === against) ?? asked[0]
  console.log(
    `load ${loadavg().map((x) => x.toFixed(1))} on ${cpus().length} cores; × is against ${base.name}`,
  )
  console.table(
    Object.fromEntries(
      asked.map((one) => [
        one.name,
        {
          ms: Number(median(one).toFixed(3)),
          "×": Number((median(one) / median(base)).toFixed(2)),
          "least ms": Number(least(one).toFixed(3)),
          "× least": Number((least(one) / least(base)).toFixed(2)),
          [`recall@${k}`]: (one.hits * rounds) / one.times.length / truth.flat().length,
        },
      ]),
    ),
  )
}
