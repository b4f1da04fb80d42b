import type { ChildProcess } from "node:child_process"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { expect, onTestFinished, test } from "vitest"
import { publish } from "#shared/retrieval/publish.ts"
import { diskStore } from "#shared/store/disk.ts"
import { start, tempFolder } from "#test/support/voxkin.ts"
import { now, seriesNo } from "../cohort/scratch.ts"
import { bruteForce } from "../retrieval/brute-force.ts"
import { storeCohort } from "../retrieval/made.ts"
import { random, unitVectors } from "../retrieval/random.ts"

/** A server in a process of its own: nothing that arrives over HTTP or from its store may end it or make it lie. */
const [count, dim] = [120, 16]
const vectors = unitVectors({ count, dim })

async function serve(data: string): Promise<{ child: ChildProcess; url: string }> {
  const child = start(["serve", "--port", "0", "--data", data])
  onTestFinished(() => void child.kill())
  for await (const line of createInterface({ input: child.stderr! })) {
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(line)
    if (found) return { child, url: found[0] }
  }
  throw new Error("the server ended")
}

async function served() {
  const data = tempFolder()
  const objects = diskStore(join(data, "objects"))
  await storeCohort(objects, {
    cohort: "c",
    dim,
    vectors,
    metadata: Array.from({ length: count }, (_, n) => ({ n })),
  })
  const { snapshot } = await publish(objects, { cohort: "c", now })
  return { data, objects, first: snapshot, ...(await serve(data)) }
}

async function post(url: string, body: string) {
  const headers = { "content-type": "application/json" }
  const response = await fetch(`${url}/v1/search`, { method: "POST", headers, body })
  return { status: response.status, json: await response.json() }
}

/** Asks for the neighbors of a row and compares them with brute force. */
async function asksRightly(url: string, row: number) {
  const { status, json } = await post(
    url,
    JSON.stringify({ cohort: "c", query: { series: seriesNo(row) }, k: 7 }),
  )
  expect(status, JSON.stringify(json)).toBe(200)
  const rows = Array.from({ length: count }, (_, i) => i).filter((i) => i !== row)
  const truth = bruteForce(vectors, vectors.slice(row * dim, (row + 1) * dim), { k: 7, rows })
  expect(json.neighbors.map(({ id }: { id: string }) => id)).toEqual(
    truth.map((found) => seriesNo(found.row)),
  )
  return json
}

test("no request ends a server, or spoils what it answers to the next", async () => {
  const { child, url } = await served()
  const zeros = Array.from({ length: dim }, () => 0)
  const one = (vector: string, rest = `"k":3`) => `{"cohort":"c","query":{"vector":${vector}},${rest}}`
  const unit = JSON.stringify(zeros.with(0, 1))
  const nested = (depth: number) => `${"(".repeat(depth)}n=1${")".repeat(depth)}`
  const bodies: [string, number][] = [
    [one(`["a${'","a'.repeat(dim - 1)}"]`), 400],
    [one(JSON.stringify(zeros.with(3, Number.NaN))), 400], // null in JSON
    [one(`[1e999${",0".repeat(dim - 1)}]`), 400],
    [one(`[1,,0]`), 400],
    [one(JSON.stringify(zeros)), 400],
    [one(JSON.stringify(zeros.slice(1))), 400],
    [one(`[${"0,".repeat(20_000)}1]`), 400],
    [one(`[1e-300${",0".repeat(dim - 1)}]`), 400],
    ...["0", "-1", "1.5", "1e9", "null", '"3"', "[]", "1e999"].map((k): [string, number] => [
      one(unit, `"k":${k}`),
      400,
    ]),
    [one(unit, `"k":3,"filter":"n="`), 400],
    [one(unit, `"k":3,"filter":"nothing=1"`), 400],
    [one(unit, `"k":3,"filter":"${nested(1900)}"`), 400],
    [one(unit, `"k":3,"filter":"${"!".repeat(3990)}n=1"`), 400],
    [one(unit, `"k":3,"filter":"__proto__=1"`), 400],
    [one(unit, `"k":3,"filter":"n=1","__proto__":{"k":1}`), 400],
    ['{"cohort":"../c","query":{"series":"s-1"},"k":1}', 400],
    [`${"[".repeat(100_000)}`, 400],
    ["", 400],
    ["null", 400],
  ]
  for (const [body, status] of bodies) {
    const answer = await post(url, body)
    expect(answer.status, `${body.slice(0, 120)} → ${JSON.stringify(answer.json)}`).toBe(status)
  }
  await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      i % 2 === 0 ? asksRightly(url, i) : post(url, bodies[i % bodies.length][0]),
    ),
  )
  expect(child.exitCode).toBeNull()
}, 60_000)

test("no bit that flips in its store ends a server, or gets into an answer", async () => {
  const { data, objects, first, child, url } = await served()
  await asksRightly(url, 1)
  const folder = join(data, "objects", "snapshots", "c")
  const next = random(11)
  let live = first
  for (let round = 0; round < 12; round++) {
    // A new snapshot of the same members, then damage in one of its parts before anybody has opened it.
    await objects.put(
      `members/c/${seriesNo(0)}.json`,
      edited(await objects.get(`members/c/${seriesNo(0)}.json`), round),
    )
    const published = await publish(objects, { cohort: "c", now: new Date(now.getTime() + 1 + round) })
    const at = join(folder, readdirSync(folder)[0], published.snapshot)
    const parts = readdirSync(at).sort()
    const part = join(at, parts[round % parts.length])
    const bytes = readFileSync(part)
    bytes[Math.floor(next() * statSync(part).size)] ^= 1 << Math.floor(8 * next())
    writeFileSync(part, bytes)
    const answer = await asksRightly(url, round)
    expect(answer.snapshot, part).toBe(live)
    expect(answer.degraded[0]).toContain(published.snapshot)
    if (round % 4 === 3) {
      // Healed: the next damage falls back to this one.
      live = (await publish(objects, { cohort: "c", now: new Date(now.getTime() + 1000 * (1 + round)) }))
        .snapshot
      expect((await asksRightly(url, 5)).snapshot).toBe(live)
    }
  }
  expect(child.exitCode).toBeNull()
}, 120_000)

function edited(found: { bytes: Uint8Array } | undefined, round: number): Uint8Array {
  const member = JSON.parse(new TextDecoder().decode(found!.bytes))
  return new TextEncoder().encode(JSON.stringify({ ...member, source: `changed ${round}` }))
}
