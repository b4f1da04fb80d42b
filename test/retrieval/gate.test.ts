import { describe, expect, test } from "vitest"
import { freshMarkers } from "#shared/cohort/fresh.ts"
import { addMember } from "#shared/cohort/members.ts"
import { readPointer } from "#shared/cohort/pointer.ts"
import { listSnapshots } from "#shared/retrieval/describe.ts"
import { exactIndex } from "#shared/retrieval/exact.ts"
import { overlapAt10, reasonsAgainst } from "#shared/retrieval/gate.ts"
import { unreachable } from "#shared/retrieval/graph-reach.ts"
import { buildHnsw, hnswAvailable, openHnsw } from "#shared/retrieval/hnsw.ts"
import { keptSnapshots } from "#shared/retrieval/prune.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { rollback } from "#shared/retrieval/rollback.ts"
import { indexParts } from "#shared/retrieval/write.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { unit } from "#shared/vector.ts"
import { encoder, now, scratchStore, seriesNo } from "../cohort/scratch.ts"
import { keepMade, storeCohort } from "./made.ts"
import { random, unitVectors } from "./random.ts"

const dim = 16
const count = 60
const vectors = unitVectors({ count, dim })
const later = (ms: number) => new Date(now.getTime() + ms)

/** Gives every series the features of another one, as an encoder that changed under its name would. */
async function spoil(objects: ObjectStore, seed: number) {
  const others = unitVectors({ count, dim }, seed)
  for (let n = 0; n < count; n++) {
    await objects.delete(keys.features(encoder, seriesNo(n)))
    await keepMade(objects, seriesNo(n), others.slice(n * dim, (n + 1) * dim))
  }
}

test("a snapshot whose neighbors are not the live one's stays a candidate, until somebody insists", async () => {
  const objects = scratchStore()
  await storeCohort(objects, { cohort: "c", dim, vectors })
  const first = await publish(objects, { cohort: "c", now })
  expect(first).toMatchObject({ promoted: true, reasons: [] })
  await spoil(objects, 2)
  await addMember(objects, "c", { series: seriesNo(1), source: "again" }, now)

  const candidate = await publish(objects, { cohort: "c", now: later(1) })
  expect(candidate).toMatchObject({
    promoted: false,
    reasons: [expect.stringMatching(/overlap .* by 0\.[0-4]/)],
  })
  expect((await readPointer(objects, "c"))!.value.snapshot).toBe(first.snapshot)
  const [listed] = await listSnapshots(objects, "c")
  expect(listed).toMatchObject({
    snapshot: candidate.snapshot,
    live: false,
    gate: { reasons: candidate.reasons },
  })
  // What it would have folded in is scanned still, and it is nothing to go back to.
  expect(await freshMarkers(objects, "c")).toHaveLength(1)
  const to = { cohort: "c", to: candidate.snapshot, now: later(2) }
  await expect(rollback(objects, to)).rejects.toMatchObject({ code: "no-such-snapshot" })

  const forced = await publish(objects, { cohort: "c", now: later(3), force: true })
  expect(forced).toMatchObject({ promoted: true, reasons: candidate.reasons })
  expect((await readPointer(objects, "c"))!.value.snapshot).toBe(forced.snapshot)
  expect(await freshMarkers(objects, "c")).toEqual([])
})

test("candidates push out no snapshot that one can go back to", async () => {
  const objects = scratchStore()
  await storeCohort(objects, { cohort: "c", dim, vectors })
  const first = await publish(objects, { cohort: "c", now })
  await addMember(objects, "c", { series: seriesNo(1), source: "again" }, now)
  const second = await publish(objects, { cohort: "c", now: later(1) })
  for (let i = 0; i <= keptSnapshots; i++) {
    await spoil(objects, 10 + i)
    expect((await publish(objects, { cohort: "c", now: later(2 + i) })).promoted).toBe(false)
  }
  expect(await listSnapshots(objects, "c")).toHaveLength(keptSnapshots + 2)
  expect(await rollback(objects, { cohort: "c", now: later(20) })).toMatchObject({
    snapshot: first.snapshot,
    from: second.snapshot,
  })
}, 20_000)

test.each([
  [{}, 0],
  [{ recallAt10: 0.989 }, 1],
  [{ unreachable: 1 }, 1],
  [{ overlapAt10: 0.49 }, 1],
  [{ overlapAt10: null }, 0],
  [{ recallAt10: 0.5, unreachable: 2, overlapAt10: 0 }, 3],
])("the gate with %j has %i reasons", (more, reasons) => {
  expect(reasonsAgainst({ recallAt10: 0.99, unreachable: 0, overlapAt10: 0.5, ...more })).toHaveLength(
    reasons,
  )
})

test("overlap looks only at what both hold, and is 1 where nothing changed", async () => {
  const held = (rows: number[]) => ({
    dim,
    vectors: Float32Array.from(rows.flatMap((n) => [...vectors.subarray(n * dim, (n + 1) * dim)])),
    series: rows.map(seriesNo),
  })
  const rows = Array.from({ length: count }, (_, n) => n)
  expect(await overlapAt10(held(rows), held(rows.filter((n) => n % 3 > 0)))).toBe(1)
  expect(await overlapAt10(held([1]), held(rows))).toBe(null)
  const turned = { ...held(rows), vectors: unitVectors({ count, dim }, 9) }
  expect(await overlapAt10(held(rows), turned)).toBeLessThan(0.3)
})

// Without a compiler there is no graph to look at.
const available = (await hnswAvailable()).available

describe.skipIf(!available)("a graph is searched as broadly as its vectors need", () => {
  const indexed = (held: { dim: number; vectors: Float32Array<ArrayBuffer> }) => {
    const content = { ...held, series: [], source: [], columns: [], missing: [] }
    return indexParts(content, { engine: "hnsw", m: 16, efConstruction: 200 })
  }

  test("more than at 64 where they lie anywhere in many dimensions, and so other rows find theirs too", async () => {
    const [count, dim] = [6000, 160]
    const next = random(5)
    const row = () => unit(Float32Array.from({ length: dim }, () => next() - 0.5))!
    const vectors = new Float32Array(count * dim)
    for (let r = 0; r < count; r++) vectors.set(row(), r * dim)
    const { ef, recallAt10, parts } = await indexed({ dim, vectors })
    expect(ef).toBeGreaterThan(64)
    expect(recallAt10).toBeGreaterThanOrEqual(0.99)

    const graph = await openHnsw(parts.find(({ name }) => name === "graph.hnsw")!.bytes, { dim, vectors })
    const exact = await exactIndex({ dim, vectors })
    const share = async (ef: number) => {
      let found = 0
      for (let row = 7; row < count; row += count / 100) {
        const query = vectors.subarray(row * dim, (row + 1) * dim)
        const truth = new Set((await exact.search(query, { k: 10 })).found.map((f) => f.row))
        found += (await graph.search(query, { k: 10, ef })).found.filter((f) => truth.has(f.row)).length
      }
      return found / 1000
    }
    const broad = await share(ef!)
    expect(broad).toBeGreaterThan(0.985)
    expect(await share(64)).toBeLessThan(broad)
  })

  test("at 64 where they vary along a few directions, and for one alone", async () => {
    expect(await indexed({ dim, vectors })).toMatchObject({ ef: 64 })
    const alone = { dim, vectors: vectors.slice(0, dim) }
    expect(await indexed(alone)).toMatchObject({ ef: 64, recallAt10: 1 })
  })
})

describe.skipIf(!available)("reaching every row", () => {
  test("counts what nothing leads to", async () => {
    const graph = await buildHnsw({ dim, vectors })
    expect(unreachable(graph, count)).toBe(0)
    const view = new DataView(graph.buffer, graph.byteOffset)
    const rowBytes = Number(view.getBigUint64(24, true))
    const entry = view.getUint32(52, true)
    view.setUint16(96 + entry * rowBytes, 0, true)
    expect(unreachable(graph, count)).toBe(count - 1)
  })
})
