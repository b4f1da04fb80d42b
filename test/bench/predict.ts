/**
 * What a warm probe's answer costs on cached features of 864 numbers, from local disk: one series and a hundred, asked of the
 * handler in process (routing, checking, reading, predicting) and of a server in another process, of a linear probe and of one
 * whose answers come from as many neighbors as there are members; and a whole cohort by many linear probes at once. `npm run bench -- predict [MEMBERS] [PROBES]`, 2 000 members and 20 probes without.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createApp } from "#functions/api/app.ts"
import { apiPorts, localJobs } from "#functions/local.ts"
import { createCohort } from "#shared/cohort/cohort.ts"
import { addMember } from "#shared/cohort/members.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { predictCohort } from "#shared/probe/predict-cohort.ts"
import { diskStore } from "#shared/store/disk.ts"
import { encoder, seriesNo } from "../cohort/scratch.ts"
import { keepMade } from "../retrieval/made.ts"
import { unitVectors } from "../retrieval/random.ts"
import { post, startServerProcess } from "./serving/server.ts"

const [members = 2000, probes = 20] = process.argv.slice(2).map(Number)
const [dim, labelled, rounds] = [864, 200, 1000]
const vectors = unitVectors({ count: members, dim })
const data = mkdtempSync(join(tmpdir(), "voxkin-bench-"))
const objects = diskStore(join(data, "objects"))
const now = new Date()
for (const cohort of ["few", "all"]) await createCohort(objects, cohort, encoder, now)
for (let row = 0; row < members; row++) {
  const series = seriesNo(row)
  const vector = vectors.slice(row * dim, (row + 1) * dim)
  await keepMade(objects, series, vector)
  const source = `row ${row}`
  const labels = { large: vector[0] > 0, size: vector[1], patient: row >> 1 }
  await addMember(objects, "all", { series, source, labels }, now)
  if (row < labelled) await addMember(objects, "few", { series, source, labels }, now)
}
const names = Array.from({ length: probes }, (_, n) => `p${n}`)
for (const [n, name] of names.entries()) {
  const task = n % 2 === 0 ? ("classification" as const) : ("regression" as const)
  const label = n % 2 === 0 ? "large" : "size"
  await fitProbe(objects, { name, cohort: "few", task, label, penalty: 100, folds: 2, seed: n, now })
}
const near = {
  name: "near",
  cohort: "all",
  task: "knn" as const,
  label: "size",
  neighbors: 20,
  folds: 2,
  now,
}
await fitProbe(objects, near)

const server = await startServerProcess(data)
const jobs = localJobs({ data })
try {
  const app = createApp(apiPorts({ data }, jobs))
  const handler = async (body: object, probe = "p0") => {
    const headers = { "content-type": "application/json" }
    const request = { method: "POST", headers, body: JSON.stringify(body) }
    const response = await app.request(`http://127.0.0.1/v1/probes/${probe}/predict`, request)
    if (response.status !== 200) throw new Error(await response.text())
    return response.json()
  }
  const some = (count: number, round: number) => ({
    series: Array.from({ length: count }, (_, i) => seriesNo((13 * round + i) % members)),
  })
  const asked = {
    "1 series, handler": (round: number) => handler(some(1, round)),
    [`1 series, knn of ${members}, handler`]: (round: number) => handler(some(1, round), "near"),
    "1 series, over HTTP": (round: number) => post(server.url, "/probes/p0/predict", some(1, round)),
    "100 series, handler": (round: number) => handler(some(100, round)),
  }
  const times = new Map(Object.keys(asked).map((name) => [name, [] as number[]]))
  for (const [name, ask] of Object.entries(asked)) {
    for (let round = -100; round < rounds; round++) {
      const began = performance.now()
      await ask(Math.abs(round))
      if (round >= 0) times.get(name)!.push(performance.now() - began)
    }
  }
  const at = (of: number[], share: number) =>
    of.toSorted((a, b) => a - b)[Math.floor(share * (of.length - 1))].toFixed(2)
  console.table(
    Object.fromEntries(
      [...times].map(([name, of]) => [name, { "p50 ms": at(of, 0.5), "p99 ms": at(of, 0.99) }]),
    ),
  )
  const began = performance.now()
  const { missing } = await predictCohort(objects, { cohort: "all", probes: names }, { now })
  const seconds = (performance.now() - began) / 1000
  const peak = process.resourceUsage().maxRSS / 1024
  console.log(
    `${members} series × ${probes} probes: ${seconds.toFixed(1)} s, ${missing} missing, peak ${peak.toFixed(0)} MB`,
  )
} finally {
  server.stop()
  await jobs.close()
  rmSync(data, { recursive: true })
}
