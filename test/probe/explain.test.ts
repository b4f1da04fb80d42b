import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inflateSync } from "node:zlib"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { findPython } from "#functions/setup/python.mjs"
import type { Features } from "#shared/features/features.ts"
import { featuresOf } from "#shared/features/pool.ts"
import { preprocess } from "#shared/preprocess/preprocess.ts"
import { Explanation, explain, explainable } from "#shared/probe/explain/explanation.ts"
import { explanationPicture } from "#shared/probe/explain/picture.ts"
import { encodePng } from "#shared/probe/explain/png.ts"
import { tintOf } from "#shared/probe/explain/tint.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { scoresOf } from "#shared/probe/head/linear.ts"
import { prng } from "#shared/probe/math/prng.ts"
import { openProbe, type Probe, predictPooled } from "#shared/probe/predict.ts"
import type { FitRequest } from "#shared/probe/request.ts"
import { headInputs } from "#shared/probe/study/inputs.ts"
import { diskStore } from "#shared/store/disk.ts"
import { apply, type Matrix4, type Triple } from "#shared/volume/affine.ts"
import type { Volume } from "#shared/volume/volume.ts"
import { receipt, sampleFeatures } from "../features/sample.ts"
import { fakeEncoder } from "../support/fake-encoder.ts"
import { dim, encoder, fillCohort, now, seriesId } from "./cohort.ts"

const folder = mkdtempSync(join(tmpdir(), "voxkin-explain-"))
const objects = diskStore(folder)
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeAll(() =>
  fillCohort(
    objects,
    Array.from({ length: 24 }, (_, n) => ({
      signal: n % 3,
      labels: {
        two: n % 3 > 0 ? "yes" : "no",
        three: ["none", "some", 'all <&> "b"'][n % 3],
        ml: 50 + 10 * (n % 3) + (n % 5),
        days: 300 - 70 * (n % 3) + 3 * n,
        died: n % 4 > 0,
      },
    })),
  ),
)

/** Each is fitted once: nothing here changes a probe. */
const probes = new Map<string, Promise<Probe>>()
function fitted(request: Partial<FitRequest>): Promise<Probe> {
  const key = JSON.stringify(request)
  const probe = probes.get(key) ?? fit(`p${probes.size}`, request)
  probes.set(key, probe)
  return probe
}

async function fit(name: string, request: Partial<FitRequest>): Promise<Probe> {
  await fitProbe(objects, { cohort: "c", task: "classification", penalty: 1, now, ...request, name })
  return openProbe(objects, name)
}

/** Tokens around those that the probes were fitted on, `shift` away in the number of the mean that has the signal. */
function scan(seed: number, shift = 0): Features {
  const random = prng(seed)
  const grid: Triple = [3, 4, 5]
  const tokens = (count: number) => Float32Array.from({ length: count * dim }, () => 4 * (random() - 0.5))
  const patches = tokens(60)
  for (let p = 0; p < 60; p++) patches[p * dim + 4] -= shift
  return featuresOf({ cls: tokens(1), patches, grid }, { ...receipt, series: seriesId(99), encoder })
}

const requests: [string, Partial<FitRequest>, string][] = [
  ["two classes", { label: "two" }, "log-odds"],
  ["three classes", { label: "three" }, "log-odds"],
  ["a number", { task: "regression", label: "ml", unit: "ml" }, "ml"],
  ["survival", { task: "survival", time: "days", event: "died" }, "log-hazard"],
]

describe("the terms of a score", () => {
  test.each(requests)("of %s add up to what the head says", async (_, request, unit) => {
    for (const pooling of ["mean", "both"] as const) {
      const probe = explainable(await fitted({ ...request, pooling }))
      for (const seed of [1, 2, 3, 4]) {
        const features = scan(seed, seed - 2)
        const { explanation, contributions } = explain(probe, features)
        const { score, intercept, cls, patches, prediction } = Explanation.parse(explanation)
        const scores = scoresOf(probe.head, headInputs(features, pooling))
        const negative = "label" in prediction && prediction.label === "no"
        const k = "label" in prediction && scores.length > 1 ? scores.indexOf(Math.max(...scores)) : 0
        expect(score).toBe(negative ? -scores[0] : scores[k])
        const sum = contributions.reduce((all, one) => all + one, intercept + (cls ?? 0))
        expect(Math.abs(sum - score)).toBeLessThan(1e-4 * Math.abs(score))
        expect(Math.abs(intercept + (cls ?? 0) + patches - score)).toBeLessThan(1e-4 * Math.abs(score))
        expect(explanation.of.startsWith("the risk of 'died'")).toBe(unit === "log-hazard")
        expect([explanation.unit, cls === null]).toEqual([unit, pooling === "mean"])
        expect(explanation.clsShare).toBeCloseTo(
          Math.abs(cls ?? 0) / (Math.abs(cls ?? 0) + Math.abs(patches)),
        )
      }
    }
  })

  test("are those that a hand computes, and make the probability that is answered", async () => {
    const { record } = await fitted({ label: "two", pooling: "both" })
    // (x − mean) / scale · w, with dim 2: cls (3 − 1) / 2 · 4 = 4, and (5 − 5) / 1 · 7 = 0; the first patch's
    // (2 − 0) / 2 · 1 = 1 and (0 − 1) / 1 · 2 = −2, halved as there are two: −0.5; the second's 2 − 0 = 2, halved: 1.
    const head = {
      kind: "logistic" as const,
      weights: Float64Array.of(4, 7, 1, 2),
      mean: Float64Array.of(1, 5, 0, 1),
      scale: Float64Array.of(2, 1, 2, 1),
      intercept: Float64Array.of(-3.5),
    }
    const tokens = {
      cls: Float32Array.of(3, 5),
      patches: Float32Array.of(2, 0, 4, 1),
      grid: [1, 1, 2],
    } as const
    const features = featuresOf(tokens, { ...receipt, series: seriesId(99), encoder })
    const { explanation, contributions } = explain(explainable({ record, head }), features)
    expect([...contributions]).toEqual([-0.5, 1])
    expect(explanation).toMatchObject({
      score: 1,
      intercept: -3.5,
      cls: 4,
      patches: 0.5,
      clsShare: 4 / 4.5,
      beforeCalibration: false,
      of: "'two' = yes",
      prediction: { label: "yes", probabilities: { yes: 1 / (1 + Math.exp(-1)) } },
    })
    // gridToPatient of the sample's receipt, by hand: x = −10 + 2, y = 20.25 − 0.5.
    expect(explanation.for).toEqual([{ patch: [0, 0, 1], patient: [-8, 19.75, 1 / 3], contribution: 1 }])
    expect(explanation.against).toEqual([
      { patch: [0, 0, 0], patient: [-10, 20.25, 1 / 3], contribution: -0.5 },
    ])

    // The other answer: each term is the opposite, and what spoke for now speaks against.
    const other = explain(
      explainable({ record, head: { ...head, intercept: Float64Array.of(-9) } }),
      features,
    )
    expect(other.explanation).toMatchObject({ of: "'two' = no", score: 4.5, intercept: 9, cls: -4 })
    expect(other.explanation.for[0]).toMatchObject({ patch: [0, 0, 0], contribution: 0.5 })
  })

  test("of a number below the intercept: what lowers it speaks for it", async () => {
    const probe = explainable(await fitted({ task: "regression", label: "ml", pooling: "mean" }))
    const [low, high] = [scan(5, -9), scan(5, 9)].map((features) => explain(probe, features).explanation)
    expect([low.towards, high.towards]).toEqual([-1, 1])
    expect(low.unit).toBe("units of 'ml'")
    expect(low.for).toHaveLength(10)
    const first = low.for.map(({ contribution }) => contribution)
    expect(first).toEqual([...first].sort((a, b) => a - b))
    expect(first[9]).toBeLessThan(0)
    expect(high.for[0].contribution).toBeGreaterThan(0)
  })

  test("of neighbors, and of the CLS token alone, are refused with the remedy", async () => {
    const near = await fitted({ task: "knn", label: "two", penalty: undefined, neighbors: 3 })
    expect(() => explainable(near)).toThrow(expect.objectContaining({ code: "not-linear", kind: "invalid" }))
    const cls = await fitted({ label: "two", pooling: "cls" })
    expect(() => explainable(cls)).toThrow(/reads the CLS token alone.*pooling mean or both/)
  })

  test("of another encoder's features are refused", async () => {
    const probe = explainable(await fitted({ label: "two", pooling: "mean" }))
    const other = sampleFeatures([1, 2, 2], dim, { encoder: { ...encoder, recipeDigest: "f".repeat(64) } })
    expect(() => explain(probe, other)).toThrow(expect.objectContaining({ code: "wrong-encoder" }))
  })
})

/** Where voxel axes [z, y, x] run in the patient: slices 5 mm apart, pixels of 1.5 × 2 mm. */
const spacing: Triple = [5, 1.5, 2]
const straight: Matrix4 = [
  [0, 0, 2, -90],
  [0, 1.5, 0, 40],
  [5, 0, 0, -300],
  [0, 0, 0, 1],
]
const [cos, sin] = [Math.cos(0.3), Math.sin(0.3)]
/** The same turned by 0.3 about x. */
const oblique: Matrix4 = [
  [0, 0, 2, -90],
  [-5 * sin, 1.5 * cos, 0, 40],
  [5 * cos, 1.5 * sin, 0, -300],
  [0, 0, 0, 1],
]

/** A body of water off the middle of the air, with an object as bright as can be: 1 × 3 × 3 voxels about `at`. */
function phantom(affine: Matrix4, at: Triple): Volume {
  const shape: Triple = [30, 120, 100]
  const voxels = new Float32Array(30 * 120 * 100)
  for (let z = 0, i = 0; z < 30; z++)
    for (let y = 0; y < 120; y++)
      for (let x = 0; x < 100; x++, i++) {
        const body = z > 2 && y > 25 && y < 110 && x > 12 && x < 80
        const object = z === at[0] && Math.abs(y - at[1]) <= 1 && Math.abs(x - at[2]) <= 1
        voxels[i] = object ? 1900 : body ? 0 : -1000
      }
  return { voxels, shape, spacing, affine }
}

/** A probe that answers by the mean HU of a patch alone: a token's first number. */
async function meanHu(weight: number): Promise<Probe> {
  const { record } = await fitted({ task: "regression", label: "ml", unit: "ml", pooling: "mean" })
  const head = {
    kind: "ridge" as const,
    weights: Float64Array.of(weight, 0, 0, 0),
    intercept: Float64Array.of(100),
    mean: Float64Array.of(0, 0, 0, 0),
    scale: Float64Array.of(1, 1, 1, 1),
  }
  return { record, head }
}

async function encoded(volume: Volume): Promise<Features> {
  const fake = fakeEncoder()
  const input = preprocess(volume, fake.recipe)
  const { gridToPatient, receipt: preprocessed } = input
  return featuresOf(await fake.encode(input), {
    ...receipt,
    preprocess: preprocessed,
    gridToPatient,
    encoder,
  })
}

interface Box {
  x: number
  y: number
  width: number
  height: number
}
const boxOf = (tag: string): Box => {
  const number = (name: string) => Number(tag.match(new RegExp(` ${name}="([^"]*)"`))![1])
  return { x: number("x"), y: number("y"), width: number("width"), height: number("height") }
}

/** Per slice: where its picture lies, its grey values, and the cell that is framed in white. */
function drawn(svg: string) {
  const images = [...svg.matchAll(/<image [^>]*>/g)].map(([tag]) => tag)
  const frames = [...svg.matchAll(/<rect [^>]*stroke="#fff"[^>]*>/g)].map(([tag]) => boxOf(tag))
  return images.map((tag, i) => ({
    image: boxOf(tag),
    png: decodePng(Buffer.from(tag.match(/base64,([^"]*)"/)![1], "base64")),
    frame: frames[i],
  }))
}

function decodePng(png: Uint8Array): { width: number; height: number; grey: Uint8Array; crcs: number[] } {
  const bytes = Buffer.from(png)
  expect([...bytes.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10])
  const chunks: Record<string, Buffer> = {}
  const crcs: number[] = []
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    chunks[bytes.toString("latin1", at + 4, at + 8)] = bytes.subarray(at + 8, at + 8 + length)
    crcs.push(bytes.readUInt32BE(at + 8 + length))
    at += 12 + length
  }
  const [width, height] = [chunks.IHDR.readUInt32BE(0), chunks.IHDR.readUInt32BE(4)]
  const rows = inflateSync(chunks.IDAT)
  expect(rows.length).toBe(height * (width + 1))
  const grey = new Uint8Array(width * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const above = rows[y * (width + 1)] === 2 ? grey[(y - 1) * width + x] : 0
      grey[y * width + x] = rows[y * (width + 1) + 1 + x] + above
    }
  return { width, height, grey, crcs }
}

/** Of axial, coronal and sagittal: which of [z, y, x] runs across and down the page, and whether from its end. */
const laid = [
  { across: 2, down: 1, flipped: false },
  { across: 2, down: 0, flipped: true },
  { across: 1, down: 0, flipped: true },
] as const

describe("the overlay lies where the patch lies", () => {
  // None of the objects straddles an edge between patches, which are 19.5 mm long at most.
  test.each([
    ["in the middle of a patch", straight, [14, 61, 46]],
    ["at the patient's right, front and feet", straight, [6, 34, 26]],
    ["at the patient's left, back and head", straight, [26, 99, 66]],
    ["in an oblique volume", oblique, [10, 74, 36]],
  ] as [string, Matrix4, Triple][])("%s", async (name, affine, at) => {
    const volume = phantom(affine, at)
    const features = await encoded(volume)
    const found = explain(explainable(await meanHu(1)), features)
    const { offset, shape } = features.receipt.preprocess.crop
    expect([...offset]).not.toEqual([0, 0, 0])

    // The patient's millimetres, from the volume's own matrix, within half a patch's diagonal of at most 20 mm edges.
    const object = apply(affine, at)
    const { patient } = found.explanation.for[0]
    expect(Math.hypot(...patient.map((mm, i) => mm - object[i]))).toBeLessThan(10 * Math.sqrt(3))

    const svg = explanationPicture({ volume, features }, found)
    const slices = drawn(svg)
    expect(slices).toHaveLength(3)
    for (const [i, { image, png, frame }] of slices.entries()) {
      const { across, down, flipped } = laid[i]
      expect([png.width, png.height]).toEqual([shape[across], shape[down]])
      // Millimetres are as long across as down.
      const mm = image.width / (shape[across] * spacing[across])
      expect(image.height / (shape[down] * spacing[down])).toBeCloseTo(mm, 4)
      // The edges of the object's voxels on the page, to a hundredth of a pixel.
      const half = [0.5, 1.5, 1.5]
      const left = image.x + mm * spacing[across] * (at[across] + 0.5 - half[across] - offset[across])
      const right = left + mm * spacing[across] * 2 * half[across]
      const row = flipped ? offset[down] + shape[down] - 1 - at[down] : at[down] - offset[down]
      const top = image.y + mm * spacing[down] * (row + 0.5 - half[down])
      const bottom = top + mm * spacing[down] * 2 * half[down]
      expect(frame.x).toBeLessThan(left + 0.02)
      expect(frame.x + frame.width).toBeGreaterThan(right - 0.02)
      expect(frame.y).toBeLessThan(top + 0.02)
      expect(frame.y + frame.height).toBeGreaterThan(bottom - 0.02)
      // A patch, not the whole slice: its edges are below 20 mm.
      expect(Math.max(frame.width, frame.height)).toBeLessThan(20 * mm)
      // Where voxels of that plane are brightest: all of the object's, if the middle of its patch lies in it.
      const white = [...png.grey.keys()].filter((p) => png.grey[p] === 255)
      if (name.startsWith("in the middle")) expect(white).toHaveLength([9, 3, 3][i])
      for (const p of white) {
        const [x, y] = [(p % png.width) + 0.5, Math.floor(p / png.width) + 0.5]
        expect(image.x + mm * spacing[across] * x).toBeGreaterThan(left)
        expect(image.x + mm * spacing[across] * x).toBeLessThan(right)
        expect(image.y + mm * spacing[down] * y).toBeGreaterThan(top)
        expect(image.y + mm * spacing[down] * y).toBeLessThan(bottom)
      }
    }
    const water = Math.round((255 * 160) / 400)
    expect(slices[0].png.grey.includes(water)).toBe(true)
  })

  test("its cells touch, keep within the picture, and are as opaque as they add or take", async () => {
    const volume = phantom(straight, [15, 58, 46])
    const features = await encoded(volume)
    const found = explain(explainable(await meanHu(1)), features)
    const svg = explanationPicture({ volume, features }, found)
    const [{ image, frame }] = drawn(svg)
    const [group] = svg.match(/<g shape-rendering="crispEdges">.*?<\/g>/)!
    const cells = [...group.matchAll(/<rect [^>]*>/g)].map(([tag]) => ({
      ...boxOf(tag),
      opacity: Number(tag.match(/fill-opacity="([^"]*)"/)![1]),
      fill: tag.match(/fill="([^"]*)"/)![1],
    }))
    const [z] = found.explanation.for[0].patch
    const [, gy, gx] = features.grid
    const layer = found.contributions.subarray(z * gy * gx, (z + 1) * gy * gx)
    const limit = Math.max(...found.contributions.map(Math.abs))
    const seen = [...layer].filter((c) => tintOf(c, limit)["fill-opacity"] >= 0.01)
    expect(cells).toHaveLength(seen.length)
    for (const [i, { opacity, fill, x, y, width, height }] of cells.entries()) {
      expect(opacity).toBeCloseTo((0.65 * Math.abs(seen[i])) / limit, 2)
      expect(fill).toBe(seen[i] > 0 ? "#d55e00" : "#0072b2")
      expect(x).toBeGreaterThan(image.x - 0.02)
      expect(y).toBeGreaterThan(image.y - 0.02)
      expect(x + width).toBeLessThan(image.x + image.width + 0.02)
      expect(y + height).toBeLessThan(image.y + image.height + 0.02)
      // All on one lattice.
      expect(Math.abs((x - frame.x) / width - Math.round((x - frame.x) / width))).toBeLessThan(0.01)
      expect(Math.abs((y - frame.y) / height - Math.round((y - frame.y) / height))).toBeLessThan(0.01)
    }
  })
})

const python = findPython()
/** By expat, a parser that is not ours: all words of an SVG document. */
function words(svg: string): string {
  if (!python) return svg
  const program =
    "import sys, xml.etree.ElementTree as t\n" +
    "print(' '.join(t.fromstring(sys.stdin.buffer.read()).itertext()))"
  const { stdout, stderr } = spawnSync(python, ["-c", program], { input: svg, encoding: "utf8" })
  expect(stderr).toBe("")
  return stdout
}

describe("the picture", () => {
  test("tells probe, version, answer, terms, window, sides and what it is not", async () => {
    const { record, head } = await fitted({ label: "three", pooling: "both" })
    if (head.kind !== "softmax") throw new Error("another head")
    const volume = phantom(straight, [15, 58, 46])
    const { cls: _, patches, grid, receipt: made } = await encoded(volume)
    const wide = new Float32Array((patches.length / 4) * dim)
    for (let p = 0; p < patches.length / 4; p++) wide.set(patches.subarray(4 * p, 4 * p + 4), p * dim)
    const cls = Float32Array.from([0, 0, 9, 0, 0, 0])
    const features = featuresOf({ cls, patches: wide, grid }, made)
    const probe = explainable({ record, head })
    const svg = explanationPicture({ volume, features }, explain(probe, features))
    const text = words(svg)
    for (const part of [
      "'three' = all <&> \"b\" (probability ",
      `probe ${record.name}, version ${record.version}, series ${made.series}`,
      "log-odds before calibration = intercept",
      "CLS token",
      "% of |CLS token| + |patches|",
      "CT from −160 to 240",
      "no segmentation, and no proof of cause",
      "what a patch adds (log-odds)",
      "axial",
      "coronal",
      "sagittal",
      "50 mm",
    ])
      expect(text).toContain(part)
    for (const letter of "RLAPSI") expect(svg).toContain(`>${letter}</text>`)
    expect(predictPooled(probe, features)).toMatchObject({ prediction: { label: 'all <&> "b"' } })
  })

  test("of a probe that no patch moves is drawn without an overlay", async () => {
    const volume = phantom(straight, [15, 58, 46])
    const features = await encoded(volume)
    const found = explain(explainable(await meanHu(0)), features)
    expect(found.explanation).toMatchObject({ score: 100, patches: 0, clsShare: 0, for: [], against: [] })
    const svg = explanationPicture({ volume, features }, found)
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
    expect(words(svg)).toContain("No patch speaks for the answer")
    expect(svg).not.toMatch(/<g shape-rendering="crispEdges"><rect/)
  })
})

describe("PNG", () => {
  test("holds the grey values, with the checksums that Python's zlib.crc32 gives", () => {
    const grey = Uint8Array.of(0, 128, 255, 7, 6, 5)
    const { crcs, ...png } = decodePng(encodePng(grey, 3, 2))
    expect(png).toEqual({ width: 3, height: 2, grey })
    // zlib.crc32(b"IHDR" + struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 0, 0)) and zlib.crc32(b"IEND"), Python 3.11
    expect([crcs[0], crcs[2]]).toEqual([0xb81f39c6, 0xae426082])
  })
})
