import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { describe, expect, test } from "vitest"
import { Fault, type FaultKind } from "#shared/errors.ts"
import { isGzip } from "#shared/volume/gzip.ts"
import { huClip } from "#shared/volume/hu.ts"
import { readNifti } from "#shared/volume/nifti.ts"
import { isNifti } from "#shared/volume/nifti-header.ts"
import { seriesId } from "#shared/volume/series-id.ts"
import type { Volume } from "#shared/volume/volume.ts"

const fixtures = resolve(import.meta.dirname, "../fixtures/nifti")
const read = (file: string) => readNifti(join(fixtures, file))

interface Case {
  expect: "read" | "refuse"
  truth: string | null
  why?: string
  toleranceHU?: number
}
const cases: Record<string, Case> = JSON.parse(readFileSync(join(fixtures, "expected.json"), "utf8"))
const named = (which: Case["expect"]) => Object.entries(cases).filter(([, c]) => c.expect === which)

function greatestDifference(a: Volume, b: Volume): number {
  const [low, high] = huClip
  const clip = (hu: number) => Math.min(high, Math.max(low, hu))
  return a.voxels.reduce((most, hu, i) => Math.max(most, Math.abs(clip(hu) - clip(b.voxels[i]))), 0)
}

describe("a file that holds the body", () => {
  test.each(named("read"))("%s is read", async (file, { truth, toleranceHU = 0 }) => {
    const { volume, receipt } = await read(file)
    const expected = (await read(truth!)).volume
    expect(volume.shape).toEqual(expected.shape)
    // 1e-5 mm: spacing and place come from float32 headers, in metres, millimetres or microns.
    for (const row of [0, 1, 2])
      for (const column of [0, 1, 2, 3])
        expect(volume.affine[row][column]).toBeCloseTo(expected.affine[row][column], 5)
    for (const axis of [0, 1, 2]) expect(volume.spacing[axis]).toBeCloseTo(expected.spacing[axis], 5)
    expect(greatestDifference(volume, expected)).toBeLessThanOrEqual(toleranceHU)
    expect(seriesId(volume) === seriesId(expected)).toBe(toleranceHU === 0)
    expect(receipt).toMatchObject({ format: "nifti", shape: volume.shape, affine: volume.affine })
  })

  // Computed with nibabel 5: get_fdata() at the voxel that the affine puts at this place, RAS turned into LPS.
  const places = [
    { zyx: [14, 30, 40], lps: [2.2, -2.2, 0], hu: 48 },
    { zyx: [5, 33, 22], lps: [-17.6, 1.1, -18], hu: -836 },
    { zyx: [20, 29, 51], lps: [14.3, -3.3, 12], hu: -827 },
  ] as const
  test.each(named("read"))(
    "%s has nibabel's values where nibabel has them",
    async (file, { toleranceHU }) => {
      const { voxels, shape, affine } = (await read(file)).volume
      expect(shape).toEqual([28, 64, 76])
      for (const { zyx, lps, hu } of places) {
        for (const row of [0, 1, 2]) {
          const [a, b, c, d] = affine[row]
          expect(a * zyx[0] + b * zyx[1] + c * zyx[2] + d).toBeCloseTo(lps[row], 4)
        }
        const found = voxels[(zyx[0] * shape[1] + zyx[1]) * shape[2] + zyx[2]]
        expect(Math.abs(found - hu)).toBeLessThanOrEqual(toleranceHU ?? 0)
      }
    },
  )

  test("either half of a pair stands for both", async () => {
    const [header, image] = [await read("pair.hdr"), await read("pair.img")]
    expect(header.receipt.files).toBe(2)
    expect(header).toEqual(image)
  })

  test("the receipt says how the voxels were stored, and what was assumed", async () => {
    expect((await read("axes-IRP.nii.gz")).receipt.orientation).toBe("IRP")
    expect((await read("axes-LAS.nii.gz")).receipt.orientation).toBe("LAS")
    expect((await read("int16.nii.gz")).receipt.notes).toEqual([])
    expect((await read("pair.hdr")).receipt.notes.map(({ code }) => code)).toEqual(["units-assumed"])
  })
})

describe("a file that does not", () => {
  /** What the fault says: its kind, its code, and words that name the thing and the remedy. */
  const faults: Record<string, [FaultKind, string, RegExp]> = {
    "nan.nii.gz": ["invalid", "non-finite-voxels", /NaN.*replace/],
    "infinite.nii.gz": ["invalid", "non-finite-voxels", /infinite.*replace/],
    "many-4d.nii.gz": ["invalid", "several-volumes", /2 volumes of 76 × 64 × 28: split/],
    "label-map.nii.gz": ["invalid", "not-hu", /from 0 to 2,.*mask/],
    "zero-to-one.nii.gz": ["invalid", "not-hu", /from 0 to 1,.*rescaled/],
    "eight-bit.nii.gz": ["invalid", "not-hu", /from 0 to 255,.*rescaled/],
    "constant.nii.gz": ["invalid", "constant-volume", /every voxel is 0/],
    "one-slice.nii.gz": ["invalid", "too-few-slices", /76 × 64 × 1: .* 3 slices or more/],
    "no-spacing.nii": ["invalid", "no-spacing", /no positive spacing.*export it again with spacing/],
    "zero-axes.nii": ["invalid", "zero-axes", /0 × 0 × 0.*export it again/],
    "huge-dims.nii": ["too_large", "too-many-voxels", /30000 × 30000 × 30000.*limit is 536870912: crop/],
    "rgb.nii": ["invalid", "unsupported-datatype", /RGB colours: save HU as int16/],
    "complex.nii": ["invalid", "unsupported-datatype", /complex numbers: save HU as int16/],
    "cut.nii": ["invalid", "truncated", /ends before the voxels.*copy or download it again/],
    "cut.nii.gz": ["invalid", "truncated-gzip", /gzip stream ends early.*copy or download it again/],
    "damaged.nii.gz": ["invalid", "damaged-gzip", /gzip stream is damaged.*copy or download it again/],
    "empty.nii.gz": ["invalid", "empty-file", /empty: export it again/],
    "png.nii.gz": ["invalid", "not-nifti", /not NIfTI.*give a \.nii/],
    "bomb.nii.gz": ["too_large", "longer-than-header", /more than 1048576 bytes after.*export it again/],
  }

  test.each(named("refuse"))("%s is refused: $why", async (file) => {
    expect(faults, `${file} has no expected fault`).toHaveProperty([file])
    const fault = await read(file).catch((error) => error)
    expect(fault).toBeInstanceOf(Fault)
    const [kind, code, words] = faults[file]
    expect([fault.kind, fault.code]).toEqual([kind, code])
    expect(fault.message).toMatch(words)
  })
})

test("every fixture is a case, a truth or the other half of a pair", () => {
  const known = [...Object.keys(cases), ...Object.values(cases).map(({ truth }) => truth)]
  const others = ["expected.json", "pair.hdr"]
  expect(readdirSync(fixtures).filter((file) => ![...known, ...others].includes(file))).toEqual([])
  expect(Object.keys(cases)).toHaveLength(46)
})

test("the first bytes tell what a file is", () => {
  const head = (file: string) => readFileSync(join(fixtures, file)).subarray(0, 348)
  for (const file of ["slope-zero.nii", "big-endian.nii", "big-endian-nifti2.nii", "pair.hdr"])
    expect([isNifti(head(file)), isGzip(head(file))]).toEqual([true, false])
  expect([isNifti(head("int16.nii.gz")), isGzip(head("int16.nii.gz"))]).toEqual([false, true])
  for (const file of ["pair.img", "png.nii.gz", "empty.nii.gz"])
    expect([isNifti(head(file)), isGzip(head(file))]).toEqual([false, false])
})
