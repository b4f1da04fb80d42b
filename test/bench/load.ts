/**
 * Load: 64 clients with mixed filters on two server processes that share a store, while the cohort's live snapshot is
 * flipped every second; a minute (`npm run bench -- load SECONDS`). Every answer must come from a snapshot that was live
 * while it was asked, hold rows of that snapshot alone, and be what brute force gives.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as wait } from "node:timers/promises"
import { createCohort } from "#shared/cohort/cohort.ts"
import { addMember } from "#shared/cohort/members.ts"
import { publish } from "#shared/retrieval/publish.ts"
import type { SearchAnswer } from "#shared/retrieval/search.ts"
import { diskStore } from "#shared/store/disk.ts"
import { encoder, seriesNo } from "../cohort/scratch.ts"
import { bruteForce } from "../retrieval/brute-force.ts"
import { keepMade } from "../retrieval/made.ts"
import { random, unitVectors } from "../retrieval/random.ts"
import { post, type ServerProcess, startServerProcess } from "./serving/server.ts"

const seconds = Number(process.argv[2] ?? 60)
const [clients, servers, count, dim] = [64, 2, 5000, 144]
const vectors = unitVectors({ count, dim })
const age = (row: number) => row % 90
const site = (row: number) => ["A", "B", "C"][row % 3]

/** Each with what it lets through; the edition tells the two snapshots apart. */
const filters: { filter?: string; passes(row: number, edition: string): boolean }[] = [
  { passes: () => true },
  { filter: "age>=50", passes: (row) => age(row) >= 50 },
  { filter: "site=A & age<30", passes: (row) => site(row) === "A" && age(row) < 30 },
  { filter: "!(site in (A, B)) | age=7", passes: (row) => site(row) === "C" || age(row) === 7 },
  { filter: "edition=even", passes: (_, edition) => edition === "even" },
]

const data = mkdtempSync(join(tmpdir(), "voxkin-load-"))
const started: ServerProcess[] = []
try {
  const editions = await prepare()
  while (started.length < servers) started.push(await startServerProcess(data))
  await load(
    editions,
    started.map(({ url }) => url),
  )
} finally {
  for (const server of started) server.stop()
  rmSync(data, { recursive: true })
}

/** Two snapshots of the same vectors, that differ in what they call their edition. Snapshot → edition. */
async function prepare(): Promise<Map<string, string>> {
  const objects = diskStore(join(data, "objects"))
  await createCohort(objects, "load", encoder, new Date())
  for (let row = 0; row < count; row++) {
    await keepMade(objects, seriesNo(row), vectors.slice(row * dim, (row + 1) * dim))
  }
  const editions = new Map<string, string>()
  for (const edition of ["odd", "even"]) {
    for (let row = 0; row < count; row++) {
      const metadata = { age: age(row), site: site(row), edition }
      await addMember(objects, "load", { series: seriesNo(row), source: `row ${row}`, metadata }, new Date())
    }
    editions.set((await publish(objects, { cohort: "load", now: new Date() })).snapshot, edition)
  }
  return editions
}

interface FlipTime {
  snapshot: string
  begun: number
  done: number
}

async function load(editions: Map<string, string>, urls: string[]): Promise<void> {
  const flips: FlipTime[] = [{ snapshot: [...editions.keys()][1], begun: 0, done: 0 }]
  const until = performance.now() + 1000 * seconds
  const times: number[] = []
  const wrong: string[] = []
  let [answers, checked] = [0, 0]

  const client = async (n: number) => {
    const next = random(n + 1)
    const any = (below: number) => Math.floor(next() * below)
    while (performance.now() < until) {
      const { filter, passes } = filters[any(filters.length)]
      const [row, k] = [any(count), 1 + any(20)]
      const request = { cohort: "load", query: { series: seriesNo(row) }, k, filter, exact: next() < 0.5 }
      const began = performance.now()
      try {
        const answer: SearchAnswer = await post(urls[n % urls.length], "/search", request)
        const ended = performance.now()
        times.push(ended - began)
        answers++
        const before = flips.findLastIndex(({ done }) => done <= began)
        const live = flips.filter(({ begun }, i) => i >= before && begun <= ended)
        if (!live.some(({ snapshot }) => snapshot === answer.snapshot)) wrong.push(`stale ${answer.snapshot}`)
        const edition = editions.get(answer.snapshot)!
        if (answer.neighbors.some(({ metadata }) => metadata.edition !== edition)) wrong.push("mixed")
        if (answer.degraded) wrong.push(...answer.degraded)
        if (next() < 0.05) {
          checked++
          const rows = Array.from({ length: count }, (_, i) => i).filter(
            (i) => i !== row && passes(i, edition),
          )
          const truth = bruteForce(vectors, vectors.slice(row * dim, (row + 1) * dim), { k, rows })
          const ids = truth.map((found) => seriesNo(found.row))
          if (ids.join() !== answer.neighbors.map(({ id }) => id).join())
            wrong.push(`not brute force: ${filter}`)
        }
      } catch (thrown) {
        wrong.push(String(thrown))
      }
    }
  }

  const flipper = async () => {
    const first = performance.now()
    for (let i = 0; performance.now() < until; i++) {
      await wait(Math.max(0, first + 1000 * (i + 1) - performance.now()))
      const flip = {
        snapshot: [...editions.keys()][i % 2],
        begun: performance.now(),
        done: Number.POSITIVE_INFINITY,
      }
      flips.push(flip)
      try {
        await post(urls[i % urls.length], "/cohorts/load/rollback", { snapshot: flip.snapshot })
      } catch (thrown) {
        wrong.push(`flip: ${thrown}`)
      }
      flip.done = performance.now()
    }
  }

  await Promise.all([flipper(), ...Array.from({ length: clients }, (_, n) => client(n))])
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => +sorted[Math.floor(share * (sorted.length - 1))].toFixed(1)
  const flipMs = flips.slice(1).map(({ begun, done }) => done - begun)
  console.table({
    [`${clients} clients, ${servers} servers, ${seconds} s`]: {
      answers,
      "a second": Math.round(answers / seconds),
      "p50 ms": at(0.5),
      "p99 ms": at(0.99),
      "longest ms": at(1),
      flips: flipMs.length,
      "flip ms": Math.round(Math.max(...flipMs)),
      "checked by brute force": checked,
      wrong: wrong.length,
    },
  })
  for (const what of new Set(wrong)) console.log(what)
  if (wrong.length > 0) process.exitCode = 1
}
