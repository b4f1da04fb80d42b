import { expect, test } from "vitest"
import { type FitOptions, fitProbe } from "#shared/probe/fit.ts"
import { getProbe, listProbes, openProbe } from "#shared/probe/predict.ts"
import { readTraining } from "#shared/probe/training.ts"
import { probeCache } from "#shared/probe/versions/cache.ts"
import { listVersions } from "#shared/probe/versions/list.ts"
import { currentVersion, readPointer } from "#shared/probe/versions/pointer.ts"
import { promote } from "#shared/probe/versions/promote.ts"
import { rollbackProbe } from "#shared/probe/versions/rollback.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { emptyStore, fillCohort, now, seriesId } from "./cohort.ts"

const later = (ms: number) => new Date(now.getTime() + ms)

async function labelled(): Promise<ObjectStore> {
  const objects = emptyStore()
  const rows = Array.from({ length: 12 }, (_, n) => ({ signal: n % 2, labels: { tumour: n % 2 === 1 } }))
  await fillCohort(objects, rows)
  return objects
}

/** Fits probe `p` at a time of its own; a penalty of its own makes the weights those of no other version. */
async function fit(objects: ObjectStore, n: number, change: Partial<FitOptions> = {}): Promise<string> {
  const asked = { name: "p", cohort: "c", label: "tumour", task: "classification" } as const
  return (await fitProbe(objects, { ...asked, penalty: 1 + n, now: later(n), ...change })).version
}

/** Versions fitted one after the other, oldest first. */
async function fitted(objects: ObjectStore, count: number): Promise<string[]> {
  const versions = []
  for (let n = 0; n < count; n++) versions.push(await fit(objects, n))
  return versions
}

async function change(objects: ObjectStore, key: string, by: (bytes: Uint8Array) => Uint8Array) {
  await objects.put(key, by((await objects.get(key))!.bytes))
}

const headOf = (version: string) => keys.probePart("p", version, "head.safetensors")
const recordOf = (version: string) => keys.probePart("p", version, "probe.json")
const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length - 2 ? byte ^ 1 : byte))
const older = () => new TextEncoder().encode('{"format":"voxkin-probe-1","name":"p"}')

test("a candidate is fitted, listed and asked by name, and answers everyone once promoted", async () => {
  const objects = await labelled()
  const candidate = await fit(objects, 0, { promote: false })
  expect(await listProbes(objects)).toEqual([])
  const unasked = getProbe(objects, "p")
  await expect(unasked).rejects.toMatchObject({ kind: "missing", code: "not-promoted" })
  await expect(unasked).rejects.toThrow(candidate)
  expect((await openProbe(objects, "p", candidate)).record.version).toBe(candidate)

  const first = { probe: "p", version: candidate }
  expect(await promote(objects, { name: "p", version: candidate, now: later(1) })).toEqual({
    ...first,
    from: null,
    changed: true,
  })
  const pointer = await readPointer(objects, "p")
  expect(await promote(objects, { name: "p", version: candidate, now: later(2) })).toEqual({
    ...first,
    from: candidate,
    changed: false,
  })
  expect(await readPointer(objects, "p")).toEqual(pointer)
  const second = await fit(objects, 3, { promote: false })
  expect(await currentVersion(objects, "p")).toBe(candidate)
  expect(await listVersions(objects, "p")).toMatchObject([
    { version: second, current: false, promotedAt: null, record: { version: second } },
    { version: candidate, current: true, promotedAt: later(1).toISOString() },
  ])
  const { series, trivial } = await readTraining(objects, await getProbe(objects, "p", second))
  expect(series).toEqual(Array.from({ length: 12 }, (_, n) => seriesId(n)).sort())
  expect(trivial).toEqual({ kind: "shares", shares: [expect.closeTo(0.5, 12), expect.closeTo(0.5, 12)] })
})

test("a rollback goes back one, then one more, past what is damaged; promoting goes on from there", async () => {
  const objects = await labelled()
  const [a, b, c, d] = await fitted(objects, 4)
  await change(objects, headOf(b), flipped)
  const back = (to?: string) => rollbackProbe(objects, { name: "p", to, now: later(50) })
  expect(await back()).toEqual({ probe: "p", version: c, from: d })
  expect(await back()).toEqual({ probe: "p", version: a, from: c })
  await expect(back()).rejects.toMatchObject({ kind: "conflict", code: "nothing-before" })
  await expect(back(b)).rejects.toMatchObject({ kind: "unavailable", code: "corrupt-probe" })
  expect(await back(d)).toEqual({ probe: "p", version: d, from: a })
  expect(await back(d)).toEqual({ probe: "p", version: d, from: d })
  expect((await readPointer(objects, "p"))!.value.history.map(({ version }) => version)).toEqual([
    a,
    c,
    d,
    c,
    b,
    a,
  ])
  // What answered before an older version that was promoted by name is the newer one.
  await promote(objects, { name: "p", version: a, now: later(60) })
  expect(await back()).toEqual({ probe: "p", version: d, from: a })
})

test("what never answered, is not there or was never fitted is refused by name", async () => {
  const objects = await labelled()
  const order = { name: "p", now }
  const none = "20250304T050607008Z-01234567"
  await expect(rollbackProbe(objects, order)).rejects.toMatchObject({ code: "no-such-probe" })
  await expect(promote(objects, { ...order, version: none })).rejects.toMatchObject({ code: "no-such-probe" })
  await expect(listVersions(objects, "p")).rejects.toMatchObject({ code: "no-such-probe" })
  const a = await fit(objects, 0)
  await expect(rollbackProbe(objects, order)).rejects.toMatchObject({ code: "nothing-before" })
  const candidate = await fit(objects, 1, { promote: false })
  const never = rollbackProbe(objects, { ...order, to: candidate })
  await expect(never).rejects.toMatchObject({ kind: "missing", code: "no-such-version" })
  const missing = promote(objects, { ...order, version: none })
  await expect(missing).rejects.toMatchObject({ kind: "missing", code: "no-such-version" })
  await expect(missing).rejects.toThrow(a)
})

test("a damaged or unfinished version cannot be promoted, and is named in the list without stopping it", async () => {
  const objects = await labelled()
  const [a, b, c, d] = await fitted(objects, 4)
  const e = await fit(objects, 5)
  await change(objects, headOf(a), flipped)
  await change(objects, recordOf(b), (bytes) => bytes.slice(0, 80))
  await change(objects, recordOf(c), older)
  await objects.delete(recordOf(d))
  for (const [version, code] of [
    [a, "corrupt-probe"],
    [b, "corrupt-object"],
    [c, "old-probe"],
    [d, "no-such-version"],
  ])
    await expect(promote(objects, { name: "p", version, now: later(9) })).rejects.toMatchObject({ code })
  const damaged: string[] = []
  const listed = await listVersions(objects, "p", ({ message }) => damaged.push(message))
  expect(listed.map(({ version }) => version)).toEqual([e, a])
  expect(damaged.toSorted()).toEqual([expect.stringContaining(b), expect.stringContaining(c)].toSorted())
  expect(damaged.find((message) => message.includes(c))).toBe(
    `version ${c} of probe p is of an older format: fit the probe again`,
  )
  expect(await currentVersion(objects, "p")).toBe(e)
})

test("a probe of an older format is named beside the others", async () => {
  const objects = await labelled()
  await fit(objects, 0, { name: "whole" })
  await change(objects, recordOf(await fit(objects, 1)), older)
  await expect(openProbe(objects, "p")).rejects.toMatchObject({ kind: "unavailable", code: "old-probe" })
  const damaged: string[] = []
  const listed = await listProbes(objects, ({ code }) => damaged.push(code))
  expect([listed.map(({ name }) => name), damaged]).toEqual([["whole"], ["old-probe"]])
})

// What comes later keeps its versions in the same store, with other files beside a record of the same shape.
test.each([
  ["a head over patch tokens", { head: { kind: "onnx", file: "head.onnx" } }, "a head of kind 'onnx'"],
  ["another task", { task: "segmentation" }, "of task 'segmentation'"],
  ["a later format", { format: "voxkin-probe-3" }, "of format voxkin-probe-3"],
])(
  "%s, of a later voxkin, is told apart from damage, and the versions before it answer on",
  async (_, part, says) => {
    const objects = await labelled()
    const before = await fit(objects, 0)
    const newer = await fit(objects, 1, { promote: false })
    const edit = (bytes: Uint8Array) => {
      const record = JSON.parse(new TextDecoder().decode(bytes))
      const head = { ...record.head, ...("head" in part ? part.head : {}) }
      return new TextEncoder().encode(JSON.stringify({ ...record, ...part, head }))
    }
    await objects.put(keys.probePart("p", newer, "head.onnx"), Uint8Array.of(8, 9))
    await change(objects, recordOf(newer), edit)
    const fault = { kind: "unavailable", code: "newer-probe", message: expect.stringContaining(says) }
    await expect(openProbe(objects, "p", newer)).rejects.toMatchObject(fault)
    await expect(promote(objects, { name: "p", version: newer, now })).rejects.toMatchObject(fault)
    const damaged: string[] = []
    const listed = await listVersions(objects, "p", ({ code }) => damaged.push(code))
    expect([listed.map(({ version }) => version), damaged]).toEqual([[before], ["newer-probe"]])
    expect((await openProbe(objects, "p")).record.version).toBe(before)
    expect(await objects.has(keys.probePart("p", newer, "head.onnx"))).toBe(true)
  },
)

test("promotions at the same time all go on top of each other, and none is lost", async () => {
  const objects = await labelled()
  const versions = await fitted(objects, 6)
  await Promise.all(versions.map((version) => promote(objects, { name: "p", version, now: later(20) })))
  const { version, history } = (await readPointer(objects, "p"))!.value
  const since = [version, ...history.map((entry) => entry.version)].slice(0, -versions.length)
  // The one that was current already may have been looked at before any other was promoted.
  expect(new Set([...since, versions[5]])).toEqual(new Set(versions))
})

test("opened versions stay in memory, the latest ones up to a size; the pointer is looked at every time", async () => {
  const objects = await labelled()
  const [a, b] = await fitted(objects, 2)
  const reads: string[] = []
  const counting: ObjectStore = {
    ...objects,
    get(key, range) {
      reads.push(key)
      return objects.get(key, range)
    },
  }
  const open = probeCache(counting)
  const [one, two] = await Promise.all([open("p"), open("p")])
  expect(two).toBe(one)
  expect(reads.filter((key) => key === headOf(b))).toHaveLength(1)
  reads.length = 0
  expect(await open("p")).toBe(one)
  expect(reads).toEqual([keys.probeCurrent("p")])
  reads.length = 0
  expect(await open("p", b)).toBe(one)
  expect(reads).toEqual([])
  await rollbackProbe(objects, { name: "p", now: later(9) })
  expect((await open("p")).record.version).toBe(a)
  await expect(open("q")).rejects.toMatchObject({ code: "no-such-probe" })
  await expect(open("p", "20250304T050607008Z-01234567")).rejects.toMatchObject({ code: "no-such-version" })

  const small = probeCache(counting, { mostBytes: 1 })
  await small("p", a)
  await small("p", b)
  reads.length = 0
  await small("p", b)
  expect(reads).toEqual([])
  await small("p", a)
  expect(reads).toEqual([recordOf(a), headOf(a)])
})
