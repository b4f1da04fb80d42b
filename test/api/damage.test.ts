import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { createJob } from "#shared/jobs/record.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { diskStore } from "#shared/store/disk.ts"
import { keys } from "#shared/store/keys.ts"
import { fillCohort, now, seriesId } from "#test/probe/cohort.ts"
import { storeCohort } from "#test/retrieval/made.ts"
import { unitVectors } from "#test/retrieval/random.ts"
import { api } from "#test/support/api.ts"
import { tempFolder } from "#test/support/voxkin.ts"

const one = seriesId(0)
const fit = { name: "p", cohort: "c", label: "signal", task: "regression" } as const
const search = (cohort: string, query: object) => ["POST", "/v1/search", { cohort, query, k: 3 }] as const
const byVector = { vector: [1, 0, 0, 0, 0, 0] }

type Call = readonly [method: string, path: string, body?: object]

/** What reads the damaged things. */
const calls: Call[] = [
  ["GET", "/v1/cohorts/c"],
  ["PUT", "/v1/cohorts/c"],
  ["GET", `/v1/cohorts/c/members/${one}`],
  ["PUT", `/v1/cohorts/c/members/${one}`, { labels: { signal: 0 } }],
  search("c", byVector),
  search("c", { series: one }),
  ["GET", "/v1/probes/p"],
  ["POST", "/v1/probes/p/predict", { series: [one] }],
  ["GET", `/v1/series/${one}`],
]
/** What must go on whatever is damaged of cohort c, probe p or a job. */
const lists: [path: string, list: string][] = [
  ["/v1/cohorts", "cohorts"],
  ["/v1/cohorts/c/members", "members"],
  ["/v1/cohorts/c/snapshots", "snapshots"],
  ["/v1/probes", "probes"],
  ["/v1/probes/p/versions", "versions"],
  ["/v1/jobs", "jobs"],
]
const others: Call[] = [["GET", "/v1/cohorts/d/members"], ["GET", "/readyz"], search("d", byVector)]

/** Cohort c with a probe and a finished job, and cohort d, which nothing is done to. */
async function store() {
  const data = tempFolder()
  const objects = diskStore(join(data, "objects"))
  await fillCohort(
    objects,
    Array.from({ length: 12 }, (_, n) => ({ signal: n / 6 - 1, labels: { signal: n } })),
  )
  await storeCohort(objects, { cohort: "d", dim: 6, vectors: unitVectors({ count: 8, dim: 6 }) })
  for (const cohort of ["c", "d"]) await publish(objects, { cohort, now })
  await fitProbe(objects, { ...fit, now })
  const idle = { submit: async () => {}, status: async () => undefined, cancel: async () => {} }
  const job = await createJob(objects, idle, { kind: "publish", cohort: "c" }, new Date())
  const finishedAt = new Date().toISOString()
  const write = (key: string, value: object) =>
    writeFileSync(join(data, "objects", key), JSON.stringify(value))
  write(keys.jobResult(job), { ok: true, result: 1, finishedAt })
  write(keys.jobProgress(job), { done: 1, total: 1, message: "", at: finishedAt })
  return { data, objects, job }
}

/** An answer without what differs from one call to the next. */
function stable(text: string): string {
  return text.replaceAll(/"(ms|requestId|createdAt)":("[^"]*"|[^,}]*)/g, "")
}

const damages: [how: string, change: (bytes: Buffer) => Uint8Array][] = [
  ["cut", (bytes) => bytes.subarray(0, bytes.length >> 1)],
  ["null", () => Buffer.from("null")],
  ["of another schema", () => Buffer.from('{"series":[1]}')],
  ["with a bit flipped", (bytes) => bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 0x80 : byte))],
]

test("any stored object may be damaged: a clear fault or the right answer, never a bug, and the rest goes on", async () => {
  const { data, objects, job } = await store()
  const all = [...calls, ["GET", `/v1/jobs/${job}`], ["GET", "/v1/info"]] as Call[]
  /** Every call's answer, from a server that has just started. */
  async function ask() {
    const { call, bugs } = api({}, data)
    const answers = []
    for (const [method, path, body] of [...all, ...others]) answers.push(await call(method, path, body))
    const listed = []
    for (const [path] of lists) listed.push(await call("GET", path))
    expect(bugs).toEqual([])
    return { answers: answers.slice(0, all.length), other: answers.slice(all.length), listed }
  }
  await ask()
  const whole = await ask()
  expect(whole.answers.filter(({ status }) => status !== 200 && status !== 409)).toEqual([])

  const damaged = (await objects.list("")).filter(
    (key) => /^(cohorts|snapshots)\/c\/|^(probes|jobs)\//.test(key) || key.includes(one),
  )
  expect(damaged.length).toBeGreaterThan(12)
  for (const key of damaged) {
    const path = join(data, "objects", key)
    const kept = readFileSync(path)
    for (const [how, change] of damages) {
      writeFileSync(path, change(kept))
      const { answers, other, listed } = await ask()
      const what = `${key} ${how}`
      expect(
        other.map(({ text }) => stable(text)),
        what,
      ).toEqual(whole.other.map(({ text }) => stable(text)))
      for (const [i, { status, json, text }] of answers.entries()) {
        if (status !== 503 && !json?.predictions?.[0]?.error && !all[i][1].endsWith("info"))
          expect(stable(text), `${what}: ${all[i].join(" ")}`).toBe(stable(whole.answers[i].text))
        if (status === 503) expect(json.code, what).toMatch(/^corrupt-/)
      }
      for (const [i, { status, json }] of listed.entries()) {
        const [list, name] = lists[i]
        // the pointer tells which of a cohort's snapshots is live
        if (status === 503)
          expect(list.startsWith(`/v1/${key.replace(/[^/]+$/, "")}`), `${what}: ${list}`).toBe(true)
        else
          expect(json[name].length + json.damaged.length, `${what}: ${list}`).toBe(
            whole.listed[i].json[name].length,
          )
      }
      writeFileSync(path, kept)
    }
  }
}, 60_000)
