import { beforeEach, expect, test } from "vitest"
import { encodeFeatures } from "#shared/features/encode.ts"
import { sha256 } from "#shared/ids.ts"
import { exportProbe } from "#shared/probe/exchange/export.ts"
import { importProbe } from "#shared/probe/exchange/import.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { getProbe, openProbe, predict } from "#shared/probe/predict.ts"
import type { ProbeRecord } from "#shared/probe/record.ts"
import { currentVersion } from "#shared/probe/versions/pointer.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { emptyStore, featuresWith, fillCohort, now, seriesId } from "./cohort.ts"
import { cohortOf, ask as survival } from "./survival-cases.ts"

type Files = Map<string, Uint8Array>
const text = (value: unknown) =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value))
const series = [0, 1, 2, 99].map(seriesId)

let home: ObjectStore
let away: ObjectStore
let version: string
beforeEach(async () => {
  home = emptyStore()
  away = emptyStore()
  const rows = Array.from({ length: 12 }, (_, n) => ({ signal: n % 2, labels: { tumour: n % 2 === 1 } }))
  await fillCohort(home, rows)
  const asked = { name: "p", cohort: "c", label: "tumour", task: "classification", penalty: 3, now } as const
  version = (await fitProbe(home, asked)).version
})

function bring(files: Files, change: { as?: string; promote?: boolean } = {}) {
  const read = async (file: string, most: number) => {
    const bytes = files.get(file)
    if (!bytes || bytes.length > most) throw new Error(`${file} was not to be read`)
    return bytes
  }
  return importProbe(away, { read, promote: true, now, ...change })
}

/** The export with one file changed, and its digest among the sums with it. */
async function changed(name: string, to: (bytes: Uint8Array) => Uint8Array): Promise<Files> {
  const { files } = await exportProbe(home, "p")
  return withSums(new Map(files).set(name, to(files.get(name)!)))
}

function withSums(files: Files): Files {
  files.delete("SHA256SUMS")
  const sums = [...files].map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).join("")
  return new Map(files).set("SHA256SUMS", text(sums))
}

const record = (change: (record: ProbeRecord) => object) =>
  changed("probe.json", (bytes) => text(change(JSON.parse(new TextDecoder().decode(bytes)))))

test("what is exported and imported elsewhere predicts the same to the last bit, and again changes nothing", async () => {
  const { files } = await exportProbe(home, "p")
  expect([...files.keys()]).toEqual([
    "calibration.svg",
    "head.safetensors",
    "out-of-fold.json",
    "probe.json",
    "roc.svg",
    "training.json",
    "SHA256SUMS",
  ])
  const first = { probe: "p", version, imported: true, current: true, from: null }
  expect(await bring(files)).toEqual(first)
  expect(await bring(files)).toEqual({ ...first, imported: false, from: version })
  expect(await getProbe(away, "p")).toEqual(await getProbe(home, "p"))
  // Nothing is here of the encoder: the probe is, and says what is missing.
  const [none] = await predict(away, await openProbe(away, "p"), series)
  expect(none).toMatchObject({ error: { code: "no-features" } })
  for (const n of [0, 1, 2, 99]) {
    const key = keys.features(featuresWith(n, n % 2).receipt.encoder.id, seriesId(n))
    for (const objects of [home, away]) await objects.put(key, encodeFeatures(featuresWith(n, n % 2)))
  }
  const [here, there] = [await openProbe(home, "p"), await openProbe(away, "p")]
  expect(await predict(away, there, series)).toEqual(await predict(home, here, series))
  expect((await exportProbe(away, "p")).files).toEqual(files)
})

test("under another name and as a candidate", async () => {
  const { files } = await exportProbe(home, "p")
  const candidate = { probe: "q", version, imported: true, current: false, from: null }
  expect(await bring(files, { as: "q", promote: false })).toEqual(candidate)
  expect(await bring(files, { as: "q", promote: false })).toEqual({ ...candidate, imported: false })
  expect(await currentVersion(away, "q")).toBeUndefined()
  expect((await openProbe(away, "q", version)).record.name).toBe("q")
  expect((await exportProbe(away, "q", version)).record.head).toEqual((await getProbe(home, "p")).head)
})

test("a survival probe with its hazard", async () => {
  await fillCohort(home, cohortOf(30), { cohort: "s", from: 100 })
  await fitProbe(home, { ...survival({ cohort: "s" }), penalty: 10 })
  const { files } = await exportProbe(home, "outcome")
  await bring(files)
  expect(await openProbe(away, "outcome")).toEqual(await openProbe(home, "outcome"))
})

test("a probe by neighbors, which takes them along", async () => {
  await fitProbe(home, { name: "near", cohort: "c", label: "tumour", task: "knn", neighbors: 3, now })
  await bring((await exportProbe(home, "near")).files)
  const key = keys.features(featuresWith(99, 1).receipt.encoder.id, seriesId(99))
  for (const objects of [home, away]) await objects.put(key, encodeFeatures(featuresWith(99, 1)))
  const [here, there] = [await openProbe(home, "near"), await openProbe(away, "near")]
  const told = await predict(away, there, [seriesId(99)])
  expect(told).toEqual(await predict(home, here, [seriesId(99)]))
  expect(told[0]).toMatchObject({ prediction: { label: "true" } })
})

test("another version under the same name and number is refused, whatever differs, and stays as it was", async () => {
  const { files } = await exportProbe(home, "p")
  await bring(files)
  const differs = { kind: "conflict", code: "version-exists" }
  await expect(bring(await changed("roc.svg", () => text("<svg />")))).rejects.toMatchObject(differs)
  const others = await record((record) => ({ ...record, createdAt: new Date().toISOString() }))
  await expect(bring(others.set("new.svg", text("")))).rejects.toMatchObject(differs)
  expect((await exportProbe(away, "p")).files).toEqual(files)
})

test.each<[what: string, made: () => Promise<Files>]>([
  ["a head that is not the one of the record", () => changed("head.safetensors", (b) => b.map((x) => x ^ 1))],
  [
    "a head of another shape, though its digests fit",
    () => record((record) => ({ ...record, pooling: "cls" })),
  ],
  [
    "a file that is not the one of the sums",
    async () => new Map((await exportProbe(home, "p")).files).set("roc.svg", text("other")),
  ],
  ["training series that are not those of the record", () => changed("training.json", () => text("{}"))],
  ["no JSON", () => changed("probe.json", (bytes) => bytes.slice(0, 99))],
  ["another schema", () => record(({ encoder: _, ...record }) => record)],
  [
    "an encoder without digest",
    () => record((record) => ({ ...record, encoder: { ...record.encoder, digest: "abc" } })),
  ],
  [
    "a head outside of the folder",
    () => record((record) => ({ ...record, head: { ...record.head, file: "../../q/head.safetensors" } })),
  ],
  ["a plot outside of the folder", () => record((record) => ({ ...record, plots: ["../../q/roc.svg"] }))],
  ["a plot that is not there", () => record((record) => ({ ...record, plots: ["errors.svg"] }))],
  [
    "sums that leave the folder",
    async () =>
      new Map([["SHA256SUMS", text(`${"0".repeat(64)}  probe.json\n${"0".repeat(64)}  ../../x\n`)]]),
  ],
  ["sums without the record", async () => new Map([["SHA256SUMS", text(`${"0".repeat(64)}  roc.svg\n`)]])],
  ["no sums", async () => new Map([["SHA256SUMS", text("what is this")]])],
])("%s is refused, and nothing is written", async (_, made) => {
  await expect(bring(await made())).rejects.toMatchObject({ kind: "invalid", code: "bad-export" })
  expect(await away.list("")).toEqual([])
})

test("an export of an older format is told so", async () => {
  const older = await record((record) => ({ ...record, format: "voxkin-probe-1" }))
  await expect(bring(older)).rejects.toMatchObject({ kind: "invalid", code: "old-probe" })
})

test("an export of a later voxkin is told so", async () => {
  const newer = await record((record) => ({ ...record, head: { ...record.head, kind: "onnx" } }))
  await expect(bring(newer)).rejects.toMatchObject({ kind: "invalid", code: "newer-probe" })
  expect(await away.list("")).toEqual([])
})

test("what is damaged is not exported", async () => {
  await home.put(keys.probePart("p", version, "training.json"), text("[]"))
  await expect(exportProbe(home, "p")).rejects.toMatchObject({ code: "corrupt-probe" })
  await expect(exportProbe(home, "none")).rejects.toMatchObject({ code: "no-such-probe" })
})

test("an import that was cut short does not exist, and is completed by the next", async () => {
  const { files } = await exportProbe(home, "p")
  const whole = away
  away = {
    ...whole,
    put: (key, bytes, condition) =>
      key.endsWith("probe.json") ? Promise.reject(new Error("killed")) : whole.put(key, bytes, condition),
  }
  await expect(bring(files)).rejects.toThrow("killed")
  away = whole
  await expect(getProbe(away, "p")).rejects.toMatchObject({ code: "no-such-probe" })
  expect(await bring(files)).toMatchObject({ imported: true, current: true })
})
