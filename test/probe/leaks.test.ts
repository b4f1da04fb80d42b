import { describe, expect, test } from "vitest"
import type { Receipt } from "#shared/features/features.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { prng } from "#shared/probe/math/prng.ts"
import { type Acquired, acquisitionOf } from "#shared/probe/study/acquisition.ts"
import type { Triple } from "#shared/volume/affine.ts"
import { receipt } from "../features/sample.ts"
import { emptyStore, fillCohort, now, type Row, seriesId } from "./cohort.ts"

const ask = (change: object = {}) =>
  ({ name: "p", cohort: "c", label: "tumour", task: "classification", now, ...change }) as const

/** A receipt of that slice thickness, in mm, the rest by chance. */
function sliced(thickness: number, random: () => number): Partial<Receipt> {
  const shape: Triple = [40 + Math.floor(10 * random()), 128, 128]
  return { volume: { ...receipt.volume, shape, spacing: [thickness, 2, 2] } }
}

async function fit(make: (n: number, random: () => number) => Row, change: object = {}, rows = 60) {
  const objects = emptyStore()
  const random = prng(8)
  await fillCohort(
    objects,
    Array.from({ length: rows }, (_, n) => make(n, random)),
  )
  const record = await fitProbe(objects, ask(change))
  const found = (code: string) => record.notes.find((note) => note.code === code)?.message
  const alone = (name: string) => record.acquisition.find((metric) => metric.name === name)!.value
  return { record, found, alone }
}

describe("a label that the acquisition gives away", () => {
  test("by slice thickness, however it goes with it: the thin and the thick against those between", async () => {
    const { record, found, alone } = await fit((n, random) => ({
      signal: n % 2,
      labels: { tumour: n % 2 === 0 ? "yes" : "no" },
      receipt: sliced(n % 2 ? 3 : n % 4 ? 1 : 5, random),
    }))
    expect(record.acquisition.map(({ name }) => name)).toEqual(record.metrics.map(({ name }) => name))
    expect(alone("auroc")).toBe(1)
    expect(found("leak-acquisition")).toContain("(shape, spacing, extent) alone reaches auroc 1.00")
  })

  test("by a scanner column, whatever its case", async () => {
    const { found, alone } = await fit((n, random) => ({
      signal: random(),
      labels: { tumour: n % 3 },
      metadata: { ScannerName: ["a", "b", "c"][n % 3], age: n % 3 },
    }))
    expect(alone("macro-auroc")).toBe(1)
    expect(found("leak-acquisition")).toContain("(ScannerName)")
  })

  test("a number, by the extent of the scan", async () => {
    const { found, alone } = await fit(
      (_, random) => {
        const thickness = 1 + 4 * random()
        return { signal: 0, labels: { tumour: 40 * thickness }, receipt: sliced(thickness, () => 0) }
      },
      { task: "regression", unit: "mm" },
    )
    expect(alone("r2")).toBeGreaterThan(0.99)
    expect(found("leak-acquisition")).toContain("alone reaches r2")
  })

  test("a time, by the site", async () => {
    const { found, alone } = await fit(
      (n, random) => ({
        signal: 0,
        labels: { days: (n % 2 ? 100 : 1000) * (1 + random()), died: n % 5 > 0 },
        metadata: { site: n % 2 ? "north" : "south" },
      }),
      { task: "survival", label: undefined, time: "days", event: "died" },
    )
    // Half of the pairs are of one site, and tie there.
    expect(alone("c-index")).toBeCloseTo(0.75, 1)
    expect(found("leak-acquisition")).toContain("(site)")
  })

  test("nearly as well as the features do, if not well", async () => {
    const { record, found } = await fit(
      (n, random) => ({
        signal: 0,
        labels: { tumour: n % 2 },
        metadata: { kernel: random() < 0.75 === (n % 2 === 0) ? "soft" : "sharp" },
      }),
      {},
      200,
    )
    expect(record.metrics[0].value).toBeLessThan(0.7)
    expect(found("leak-acquisition")).toContain("(kernel)")
  })
})

describe("a label that is honest", () => {
  test("is not flagged, and what the acquisition reaches is told all the same", async () => {
    const { record, found, alone } = await fit((n, random) => ({
      signal: n % 2,
      labels: { tumour: n % 2 },
      metadata: { site: random() < 0.5 ? "north" : "south" },
      receipt: sliced(1 + Math.floor(4 * random()), random),
    }))
    expect(record.metrics[0].value).toBeGreaterThan(0.85)
    expect(alone("auroc")).toBeLessThan(0.75)
    expect(found("leak-acquisition")).toBeUndefined()
    expect(found("leak-identity")).toBeUndefined()
  })

  test("of series that were acquired alike has nothing beside it", async () => {
    const { record } = await fit((n) => ({ signal: n % 2, labels: { tumour: n % 2 } }))
    expect(record.acquisition).toEqual([])
  })

  test("of the scanner itself is not held against its own column", async () => {
    const { record } = await fit((n) => ({ signal: n % 2, metadata: { scanner: `s${n % 2}` } }), {
      label: "scanner",
    })
    expect(record.acquisition).toEqual([])
  })
})

describe("a label that names the series", () => {
  const regression = { task: "regression" }
  const cases: [string, object, (n: number) => Row][] = [
    ["a number in the name of the source", regression, (n) => ({ signal: n % 2, labels: { tumour: n } })],
    [
      "the number of the patient",
      regression,
      (n) => ({ signal: 0, labels: { tumour: 100 + n }, metadata: { patient: `P-${100 + n}` } }),
    ],
    [
      "runs from 100 to 159 without a gap",
      regression,
      (n) => ({ signal: 0, labels: { tumour: 100 + ((n * 7) % 60) } }),
    ],
    ["30 different values in 60 series", {}, (n) => ({ signal: 0, labels: { tumour: `id ${n >> 1}` } })],
  ]
  test.each(cases)("%s", async (words, change, make) => {
    const { found } = await fit(make, change)
    expect(found("leak-identity")).toContain(words)
  })

  test("or is one is no class, and refused", async () => {
    await expect(fit((n) => ({ signal: 0, labels: { tumour: seriesId(n) } }))).rejects.toMatchObject({
      code: "too-many-classes",
    })
  })
})

test("what is told of the acquisition: numbers as they are, and each value that several share", () => {
  const row = (change: Partial<Acquired>): Acquired => ({
    format: "nifti",
    files: 1,
    orientation: "LPS",
    shape: [10, 20, 30],
    spacing: [3, 1, 1],
    ...change,
  })
  const rows = [row({}), row({}), row({ spacing: [1.5, 1, 1] }), row({ format: "dicom", files: 10 })]
  const members = ["a", "a", null, "b"].map((model, n) => ({
    series: seriesId(n),
    source: "",
    metadata: { model, age: n },
    labels: {},
    addedAt: now.toISOString(),
  }))
  const { table, from } = acquisitionOf(rows, members, [])!
  expect(from).toEqual(["spacing", "extent", "files", "format", "model"])
  expect({ ...table, values: [...table.values] }).toEqual({
    rows: 4,
    columns: 8,
    // spacing, 3 mm; extent, 30 mm; files, one; NIfTI; model a
    values: [
      [3, 1, 30, 1, 1, 1, 1, 1],
      [3, 1, 30, 1, 1, 1, 1, 1],
      [1.5, 0, 15, 0, 1, 1, 1, 0],
      [3, 1, 30, 1, 10, 0, 0, 0],
    ].flat(),
  })
  expect(acquisitionOf(rows, members, ["model"])!.from).not.toContain("model")
  expect(acquisitionOf([row({}), row({})], members.slice(0, 2), [])).toBeUndefined()
})
