import { existsSync } from "node:fs"
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { type Discovery, discover } from "#shared/volume/discover.ts"
import { seriesId } from "#shared/volume/series-id.ts"
import { zipOf } from "./zip-writer.ts"

const fixtures = resolve(import.meta.dirname, "../fixtures/dicom")
const nifti = join(fixtures, "explicit-le.truth.nii.gz")

/** A set as zip entries, under a folder of that name. */
async function entriesOf(set: string) {
  const names = (await readdir(join(fixtures, set))).sort()
  return Promise.all(
    names.map(async (name) => ({ name: `${set}/${name}`, bytes: await readFile(join(fixtures, set, name)) })),
  )
}
const sources = (found: Discovery) => found.candidates.map((candidate) => candidate.source)
const verdicts = (found: Discovery) =>
  Object.fromEntries(found.setAside.map(({ file, code }) => [file, code]))
const idsOf = (found: Discovery) =>
  Promise.all(found.candidates.map(async (candidate) => seriesId((await candidate.read()).volume)))

describe("discover", () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "voxkin-test-"))
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  })
  const put = async (name: string, bytes: Uint8Array | string) => {
    const path = join(folder, name)
    await writeFile(path, bytes)
    return path
  }

  test("two series and a scout in one tree", async () => {
    const found = await discover(join(fixtures, "two-series"), "scans")
    expect(sources(found)).toEqual(["scans/thick/a", "scans#1"])
    expect(verdicts(found)).toEqual({
      "scans/DICOMDIR": "dicomdir",
      "scans/readme.txt": "not-a-scan",
      "scans/scout.dcm": "localizer",
    })
  })

  test("series that share a folder are numbered", async () => {
    for (const set of ["explicit-le", "feet-first"])
      for (const { name, bytes } of await entriesOf(set)) await put(name.replace("/", "-"), bytes)
    const found = await discover(folder, "x")
    expect(sources(found)).toEqual(["x#1", "x#2"])
  })

  test("the same series as folder, zip, zip under another name and NIfTI has one id", async () => {
    const zip = await put("upload", zipOf(await entriesOf("explicit-le")))
    const found = await Promise.all([
      discover(join(fixtures, "explicit-le")),
      discover(zip, "mine.zip"),
      discover(nifti),
      discover(await put("n.zip", zipOf([{ name: "a/b.nii.gz", bytes: await readFile(nifti) }]))),
    ])
    expect(new Set((await Promise.all(found.map(idsOf))).flat()).size).toBe(1)
    expect(found.map(sources)).toEqual([
      [join(fixtures, "explicit-le")],
      ["mine.zip"],
      [nifti],
      [join(folder, "n.zip/a/b.nii.gz")],
    ])
    await Promise.all(found.map((one) => one.close()))
  })

  test("what a zip was unpacked into is gone after close, and after a fault", async () => {
    // A folder of its own for temporary files: other tests unpack zips at the same time.
    const temporary = join(folder, "temporary")
    await mkdir(temporary)
    vi.stubEnv("TMPDIR", temporary)
    const found = await discover(await put("a.zip", zipOf(await entriesOf("explicit-le"))))
    expect(await readdir(temporary)).toHaveLength(1)
    await found.close()
    expect(await readdir(temporary)).toEqual([])
    await expect(discover(await put("b.zip", zipOf(await entriesOf("mr-series"))))).rejects.toMatchObject({
      code: "not-ct",
    })
    const evil = zipOf([{ name: "../evil", bytes: Buffer.from("x") }])
    await expect(discover(await put("c.zip", evil))).rejects.toMatchObject({ code: "unsafe-zip" })
    expect(await readdir(temporary)).toEqual([])
  })

  test("a folder of everything: each file a candidate's, or with a verdict", async () => {
    await put("one.nii.gz", await readFile(nifti))
    await put("hidden-name", await readFile(nifti))
    await put("series.zip", zipOf(await entriesOf("rle")))
    await put("bad.zip", zipOf([{ name: "../evil", bytes: Buffer.from("x") }]))
    await put("nested.zip", zipOf([{ name: "inner.zip", bytes: zipOf(await entriesOf("rle")) }]))
    await put("picture.png", Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"))
    await put("empty.dcm", "")
    await put(".DS_Store", "x")
    await mkdir(join(folder, "deep"))
    await cp(join(fixtures, "explicit-le"), join(folder, "deep/er"), { recursive: true })
    await put("deep/loose.dcm", await readFile(join(fixtures, "feet-first/0000.dcm")))
    const found = await discover(folder, "all")
    expect(sources(found)).toEqual(["all/deep/er", "all/hidden-name", "all/one.nii.gz", "all/series.zip"])
    expect(verdicts(found)).toEqual({
      "all/bad.zip": "unsafe-zip",
      "all/deep/loose.dcm": "too-few-slices",
      "all/empty.dcm": "empty-file",
      "all/nested.zip/inner.zip": "nested-zip",
      "all/picture.png": "not-a-scan",
    })
    expect(new Set(await idsOf(found)).size).toBe(1)
    await found.close()
  })

  test("a .hdr/.img pair is one candidate", async () => {
    const pair = resolve(import.meta.dirname, "../fixtures/nifti")
    if (!existsSync(join(pair, "pair.hdr"))) throw new Error("the NIfTI fixtures are absent")
    for (const name of ["pair.hdr", "pair.img"]) await put(name, await readFile(join(pair, name)))
    expect(sources(await discover(folder, "x"))).toEqual(["x/pair.hdr"])
    expect(sources(await discover(join(folder, "pair.img"), "y.img"))).toEqual(["y.img"])
  })

  test("a single multi-frame file is read, a single slice is refused", async () => {
    const found = await discover(join(fixtures, "enhanced-multiframe/enhanced.dcm"), "e.dcm")
    expect(sources(found)).toEqual(["e.dcm"])
    expect((await found.candidates[0].read()).volume.shape).toEqual([28, 64, 76])
    await expect(discover(join(fixtures, "explicit-le/0003.dcm"))).rejects.toMatchObject({
      code: "too-few-slices",
      message: expect.stringContaining("give the folder"),
    })
  })

  test("nothing usable: a fault that says what was found", async () => {
    const codeOf = (path: string) => discover(path).catch((fault) => fault.code)
    expect(await codeOf(join(folder, "nowhere"))).toBe("no-such-path")
    expect(await codeOf(folder)).toBe("empty-folder")
    expect(await codeOf(await put("p.png", Buffer.from("89504e470d0a1a0a", "hex")))).toBe("not-a-scan")
    expect(await codeOf(await put("gz", await readFile(nifti).then((b) => b.subarray(0, 12))))).toBe(
      "truncated-gzip",
    )
    await put("scout.dcm", await readFile(join(fixtures, "scout-only/0000.dcm")))
    await expect(discover(folder, "here")).rejects.toMatchObject({
      code: "no-series",
      message: expect.stringMatching(/^here: none of its 3 files .*1 localizer/),
    })
  })

  test("a header cut short is a verdict, not a crash", async () => {
    const whole = await readFile(join(fixtures, "explicit-le/0003.dcm"))
    for (const length of [140, 200, 500, 900])
      await expect(discover(await put("cut.dcm", whole.subarray(0, length)))).rejects.toMatchObject({
        name: "Fault",
      })
  })
})
