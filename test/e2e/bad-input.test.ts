import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { cp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { root, tempFolder, voxkin } from "#test/support/voxkin.ts"
import { zipOf } from "#test/volume/zip-writer.ts"

const nifti = (name: string) => join("test/fixtures/nifti", name)
const dicom = (name: string) => join("test/fixtures/dicom", name)

/** A folder's files, as far as they are not bookkeeping of the store. */
function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\/(encoders|fresh)(\/|$)/.test(entry.parentPath))
    .map((entry) => entry.name)
}

/** What users bring that is no CT, through the real command line. */
describe("bad scans", () => {
  const made: Record<string, (folder: string) => string> = {
    "an empty folder": (folder) => {
      mkdirSync(join(folder, "empty"))
      return join(folder, "empty")
    },
    "a zip bomb": (folder) => {
      const bomb = zipOf([{ name: "a.dcm", bytes: new Uint8Array(300 * 2 ** 20) }])
      writeFileSync(join(folder, "bomb.zip"), bomb)
      return join(folder, "bomb.zip")
    },
    "a PNG": (folder) => {
      const png = Buffer.from("89504e470d0a1a0a0000000d494844520000000100000001", "hex")
      writeFileSync(join(folder, "picture.png"), png)
      return join(folder, "picture.png")
    },
  }
  const cases: [what: string, code: string, path?: string][] = [
    ["a truncated gzip", "truncated-gzip", nifti("cut.nii.gz")],
    ["a PNG", "not-a-scan"],
    ["a PNG called .nii.gz", "not-nifti", nifti("png.nii.gz")],
    ["an empty folder", "empty-folder"],
    ["a zip bomb", "zip-bomb"],
    ["an MR series", "not-ct", dicom("mr-series")],
    ["a two-slice scout", "localizer", dicom("scout-only")],
    ["NaN voxels", "non-finite-voxels", nifti("nan.nii.gz")],
    ["a volume with no spacing", "no-spacing", nifti("no-spacing.nii")],
    ["a DICOM series with no spacing", "no-spacing", dicom("no-spacing")],
    ["zero-size axes", "zero-axes", nifti("zero-axes.nii")],
    ["intensities that are no HU", "not-hu", nifti("eight-bit.nii.gz")],
    ["12-bit lossy JPEG", "unsupported-syntax", dicom("jpeg-12bit-51")],
    ["a path that is not there", "no-such-path", "nowhere.nii.gz"],
  ]

  test.each(cases)(
    "%s is refused as %s, by name, and leaves nothing behind",
    async (what, code, given) => {
      const folder = tempFolder()
      const path = given ?? made[what](folder)
      const data = join(folder, "data")
      const out = join(folder, "out.safetensors")

      const encoded = await voxkin("encode", path, "--out", out, "--data", data, "--json")
      expect(encoded.code).toBe(2)
      expect(encoded.lines).toEqual([
        { fault: { kind: expect.any(String), code, message: expect.stringContaining(path) } },
      ])
      expect(encoded.stderr).toContain(code)
      expect(existsSync(out)).toBe(false)

      const added = await voxkin(
        "add",
        path,
        nifti("int16.nii.gz"),
        "--cohort",
        "c",
        "--data",
        data,
        "--json",
      )
      expect(added.code).toBe(1)
      expect(added.lines).toMatchObject([
        { series: null, source: path, status: "rejected", code, message: expect.stringContaining(path) },
        { source: nifti("int16.nii.gz"), status: "embedded" },
      ])
      const { series } = added.lines[1]
      expect(filesUnder(data).sort()).toEqual(
        ["cohort.json", `${series}.json`, `${series}.safetensors`].sort(),
      )
    },
    60_000,
  )
})

describe("bad questions", () => {
  let folder: string
  let store: string[]
  let encoder: string
  let series: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "voxkin-test-"))
    store = ["--data", join(folder, "data"), "--json"]
    const scans = [nifti("int16.nii.gz"), nifti("padded.nii.gz")]
    const added = await voxkin("add", ...scans, "--cohort", "c", ...store)
    series = added.lines[0].series
    encoder = added.lines[0].receipt.encoder.id
    await voxkin("publish", "c", ...store)
    // The same weights and recipe under another name are another encoder.
    await cp(join(root, "shared/encoder/default"), join(folder, "other"), { recursive: true })
    const card = join(folder, "other/encoder.json")
    writeFileSync(card, readFileSync(card, "utf8").replace(/"(id|name)": "voxkin/g, '"$1": "other'))
  }, 60_000)
  afterAll(() => rm(folder, { recursive: true }))

  const search = (...args: string[]) => voxkin("search", series, "--cohort", "c", ...args, ...store)

  test.each([
    ["an unknown column", ["-k", "1", "--filter", "age>=50"], "unknown-column", "age"],
    ["a filter that is none", ["-k", "1", "--filter", "age>="], "bad-filter", "at "],
    ["k = 0", ["-k", "0"], "bad-k", "k"],
    ["k beyond the count", ["-k", "3"], "bad-k", "2"],
  ])("%s is a fault", async (_, args, code, named) => {
    const { code: exit, lines } = await search(...args)
    expect(exit).toBe(2)
    expect(lines).toEqual([{ fault: { kind: "invalid", code, message: expect.stringContaining(named) } }])
  })

  test.each([
    [
      "a series that is not there",
      ["search", `s-${"0".repeat(32)}`, "--cohort", "c", "-k", "1"],
      "no-such-series",
    ],
    ["a cohort that is not there", ["publish", "nowhere"], "no-such-cohort"],
    ["a probe that is not there", ["probe", "show", "nothing"], "no-such-probe"],
    [
      "a label column that is not there",
      ["probe", "fit", "p", "--cohort", "c", "--label", "x", "--task", "regression"],
      "no-such-column",
    ],
  ])("%s is a fault", async (_, args, code) => {
    const { code: exit, lines } = await voxkin(...args, ...store)
    expect(exit).toBe(2)
    expect(lines).toMatchObject([{ fault: { code } }])
  })

  test("arguments that are wrong are said with exit code 2", async () => {
    const { code, stderr, lines } = await voxkin("search", series, "-k", "1", ...store)
    expect(code).toBe(2)
    const message = expect.stringContaining("--cohort")
    expect(lines).toEqual([{ fault: { kind: "invalid", code: "bad-arguments", message } }])
    expect(stderr).toContain("--cohort")
    expect((await voxkin("--help")).code).toBe(0)
  })

  test("a cohort refuses another encoder, and nothing changes", async () => {
    const other = ["--encoder", join(folder, "other")]
    const added = await voxkin("add", nifti("uint8-scaled.nii"), "--cohort", "c", ...other, ...store)
    expect(added.code).toBe(2)
    expect(added.lines).toMatchObject([{ fault: { code: "wrong-encoder" } }])
    expect(added.lines[0].fault.message).toContain(encoder)
    const elsewhere = await voxkin("add", nifti("int16.nii.gz"), "--cohort", "d", ...other, ...store)
    expect(elsewhere.lines).toMatchObject([{ status: "embedded", series }])
    // Without --encoder the cohort is served by its own.
    const again = await voxkin("add", nifti("int16.nii.gz"), "--cohort", "d", ...store)
    expect(again.lines).toMatchObject([{ status: "already", series }])
    expect(again.lines[0].receipt.encoder.id).toMatch(/^other-/)
  }, 60_000)

  test("a features file of another encoder is refused", async () => {
    const features = join(folder, "data/objects/features")
    const right = join(features, encoder, `${series}.safetensors`)
    const kept = readFileSync(right)
    const wrong = readdirSync(features).find((name) => name.startsWith("other-"))!
    writeFileSync(right, readFileSync(join(features, wrong, `${series}.safetensors`)))
    try {
      const { code, lines } = await voxkin("publish", "c", ...store)
      expect(code).toBe(2)
      expect(lines).toMatchObject([{ fault: { code: "wrong-encoder" } }])
      expect(lines[0].fault.message).toContain(series)
    } finally {
      writeFileSync(right, kept)
    }
  })
})
