/**
 * What HTTP adds to a search of 2 000 × 144: the search alone, with a look at the store first (as every request takes
 * one), and asked of a server in another process; beside a bare node:http server that gives the same answer to the same
 * client without looking for it. Medians of 3000 queries, after 500 that warm all of them, in turn.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createCohort } from "#shared/cohort/cohort.ts"
import { addMember } from "#shared/cohort/members.ts"
import { liveViews } from "#shared/retrieval/live.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { search } from "#shared/retrieval/search.ts"
import { diskStore } from "#shared/store/disk.ts"
import { encoder, seriesNo } from "../cohort/scratch.ts"
import { keepMade } from "../retrieval/made.ts"
import { unitVectors } from "../retrieval/random.ts"
import { post, type ServerProcess, startBareServer, startServerProcess } from "./serving/server.ts"

const [count, dim, k, rounds] = [2000, 144, 10, 3000]
const vectors = unitVectors({ count, dim })
const data = mkdtempSync(join(tmpdir(), "voxkin-bench-"))
const objects = diskStore(join(data, "objects"))
await createCohort(objects, "bench", encoder, new Date())
for (let row = 0; row < count; row++) {
  await keepMade(objects, seriesNo(row), vectors.slice(row * dim, (row + 1) * dim))
  await addMember(objects, "bench", { series: seriesNo(row), source: `row ${row}` }, new Date())
}
await publish(objects, { cohort: "bench", now: new Date() })
const server = await startServerProcess(data)
let bare: ServerProcess | undefined
try {
  const views = liveViews(objects)
  const view = await views("bench")
  const request = (round: number) => ({
    cohort: "bench",
    query: { series: seriesNo((7 * round) % count) },
    k,
  })
  bare = await startBareServer(await post(server.url, "/search", request(0)))
  const asked = {
    "search alone": (round: number) => search(objects, view, request(round)),
    "with a look at the store": async (round: number) =>
      search(objects, await views("bench"), request(round)),
    "over HTTP": (round: number) => post(server.url, "/search", request(round)),
    "bare node:http": (round: number) => post(bare!.url, "/search", request(round)),
  }
  const times = new Map(Object.keys(asked).map((name) => [name, [] as number[]]))
  for (let round = -500; round < rounds; round++) {
    for (const [name, ask] of Object.entries(asked)) {
      const began = performance.now()
      await ask(Math.abs(round))
      if (round >= 0) times.get(name)!.push(performance.now() - began)
    }
  }
  const at = (of: number[], share: number) =>
    of.toSorted((a, b) => a - b)[Math.floor(share * (of.length - 1))]
  const look = at(times.get("with a look at the store")!, 0.5)
  console.table(
    Object.fromEntries(
      [...times].map(([name, of]) => [
        name,
        {
          "p50 ms": +at(of, 0.5).toFixed(2),
          "p99 ms": +at(of, 0.99).toFixed(2),
          "HTTP adds ms": name === "over HTTP" ? +(at(of, 0.5) - look).toFixed(2) : undefined,
        },
      ]),
    ),
  )
} finally {
  server.stop()
  bare?.stop()
  rmSync(data, { recursive: true })
}
