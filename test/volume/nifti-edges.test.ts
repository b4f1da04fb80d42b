import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { readNifti } from "#shared/volume/nifti.ts"
import { writeNifti } from "#shared/volume/nifti-write.ts"
import { seriesId } from "#shared/volume/series-id.ts"
import type { Volume } from "#shared/volume/volume.ts"

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "voxkin-nifti-"))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** 3 × 4 × 5 voxels from −900 HU on, each its own value; 2.5 × 0.9 × 0.8 mm. */
const small: Volume = {
  voxels: Float32Array.from({ length: 60 }, (_, i) => i * 30 - 900),
  shape: [3, 4, 5],
  spacing: [2.5, 0.9, 0.8],
  affine: [
    [0, 0, 0.8, -12.5],
    [0, 0.9, 0, 7.25],
    [2.5, 0, 0, 100],
    [0, 0, 0, 1],
  ],
}

/** The small volume's file with some header fields (offsets of nifti1.h) changed. */
function changed(change: (view: DataView) => void): Uint8Array {
  const bytes = writeNifti(small)
  change(new DataView(bytes.buffer))
  return bytes
}

function save(bytes: Uint8Array, name = "a.nii"): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

const read = (bytes: Uint8Array) => readNifti(save(bytes))
const codes = async (bytes: Uint8Array) => (await read(bytes)).receipt.notes.map(({ code }) => code)
const fault = (bytes: Uint8Array) =>
  read(bytes).then(
    () => "read",
    (error) => error.code,
  )

function setQform(view: DataView, pixdim: number[], quaternion: number[], offset: number[]): void {
  for (const [i, v] of pixdim.entries()) view.setFloat32(76 + 4 * i, v, true)
  for (const [i, v] of [...quaternion, ...offset].entries()) view.setFloat32(256 + 4 * i, v, true)
  view.setInt16(252, 1, true)
}

describe("writeNifti", () => {
  test("is read back as the same series in the same place", async () => {
    const { volume, receipt } = await read(writeNifti(small))
    expect(volume.voxels).toEqual(small.voxels)
    expect(volume.shape).toEqual(small.shape)
    for (const row of [0, 1, 2])
      for (const column of [0, 1, 2, 3])
        expect(volume.affine[row][column]).toBeCloseTo(small.affine[row][column], 6)
    expect(seriesId(volume)).toBe(seriesId(small))
    expect(receipt).toMatchObject({ orientation: "LPS", notes: [] })
  })

  test("rounds HU to whole numbers and keeps them within int16", async () => {
    const voxels = small.voxels.slice()
    voxels.set([-1000.4, 40000, -50000, 12.6])
    const { volume } = await read(writeNifti({ ...small, voxels }))
    expect([...volume.voxels.subarray(0, 4)]).toEqual([-1000, 32767, -32768, 13])
  })
})

describe("the qform", () => {
  // Header and affine from nibabel 5: Nifti1Header.set_qform and get_qform of a rotation by 20° and −10°:
  // together acos(cos 20° · cos 10°) = 22.3°.
  const quaternion = [0.015134436078369617, -0.0858316496014595, -0.981060266494751]
  test.each([
    ["as it is", 1, 1, "LPS"],
    ["with its third axis turned round", -1, -1, "LPI"],
  ])("is read %s, oblique, and said so", async (_, qfac, sign, orientation) => {
    const bytes = changed((view) => {
      setQform(view, [qfac, 0.8, 0.9, 2.5], quaternion, [12.5, -7.25, 100])
      view.setInt16(254, 0, true)
    })
    const { volume, receipt } = await read(bytes)
    expect(receipt.orientation).toBe(orientation)
    expect(receipt.notes).toMatchObject([{ code: "oblique", message: expect.stringContaining("22.3°") }])
    const step = [0.148478, -0.40794, 2.462019]
    // Turned round, the last of the three slices is canonical slice 0.
    const first = sign === 1 ? [-12.5, 7.25, 100] : [-12.5, 7.25, 100].map((v, row) => v - 2 * step[row])
    const rows = [
      [step[0], -0.303142, 0.751754, first[0]],
      [step[1], 0.832875, 0.273616, first[1]],
      [step[2], 0.156283, 0, first[2]],
    ]
    for (const [row, expected] of rows.entries())
      for (const [column, value] of expected.entries())
        expect(volume.affine[row][column]).toBeCloseTo(value, 5)
  })

  test("may be a half turn that float32 leaves a little too long", async () => {
    const bytes = changed((view) => {
      setQform(view, [1, 1, 2, 3], [0.6, 0.8, 0], [0, 0, 0]) // b² + c² = 1.00000005 in float32
      view.setInt16(254, 0, true)
    })
    const { spacing } = (await read(bytes)).volume
    expect([...spacing].sort()).toEqual([1, 2, 3].map((mm) => expect.closeTo(mm, 5)))
  })

  test("gives way to the sform, with a note where they differ", async () => {
    const same = changed((view) => setQform(view, [1, 0.8, 0.9, 2.5], [0, 0, 1], [12.5, -7.25, 100]))
    expect(await codes(same)).toEqual([])
    const moved = changed((view) => setQform(view, [1, 0.8, 0.9, 2.5], [0, 0, 1], [12.5, -7.25, 130]))
    const { volume, receipt } = await read(moved)
    expect(receipt.notes).toMatchObject([
      { code: "qform-differs", message: expect.stringContaining("30.0 mm") },
    ])
    expect(volume.affine[2][3]).toBe(100)
  })

  test("must be a rotation", async () => {
    const bytes = changed((view) => {
      setQform(view, [1, 1, 1, 1], [1, 1, 1], [0, 0, 0])
      view.setInt16(254, 0, true)
    })
    expect(await fault(bytes)).toBe("bad-affine")
  })
})

describe("a header that leaves room for doubt", () => {
  const i16 = (at: number, value: number) => changed((view) => view.setInt16(at, value, true))
  const f32 = (at: number, value: number) => changed((view) => view.setFloat32(at, value, true))

  test.each([
    ["pixdim alone does not say left from right", i16(254, 0), "no-orientation"],
    ["an affine with NaN", f32(280, Number.NaN), "bad-affine"],
    ["an affine with a step of zero", f32(280, 0), "no-spacing"],
    // sform column x leans 0.2 mm towards y: 14°.
    ["axes not at right angles", f32(296, 0.2), "sheared-axes"],
    ["metres taken for millimetres", changed((view) => view.setUint8(123, 1)), "implausible-spacing"],
    ["a unit that NIfTI does not know", changed((view) => view.setUint8(123, 5)), "bad-units"],
    ["an intercept of NaN", f32(116, Number.NaN), "bad-scaling"],
    ["voxels that begin inside the header", f32(108, 100), "bad-offset"],
    ["voxels that begin between bytes", f32(108, 352.5), "bad-offset"],
    ["voxels that begin at 10 GB", f32(108, 1e10), "too-many-bytes"],
    ["no axes", i16(40, 0), "bad-header"],
    ["two axes", i16(40, 2), "not-3d"],
    ["a header of another length", changed((view) => view.setInt32(0, 300, true)), "bad-header"],
    ["single bits", i16(70, 1), "unsupported-datatype"],
    ["128-bit floats", i16(70, 1536), "unsupported-datatype"],
    ["RGBA", i16(70, 2304), "unsupported-datatype"],
    ["a type that NIfTI does not know", i16(70, 77), "unsupported-datatype"],
    ["a half of a pair without the other", changed((view) => view.setUint8(345, 0x69)), "pair-incomplete"],
  ])("%s: refused", async (_, bytes, code) => {
    expect(await fault(bytes)).toBe(code)
  })

  test.each([
    ["no unit", changed((view) => view.setUint8(123, 0)), ["units-assumed"]],
    ["a slope of NaN", f32(112, Number.NaN), ["slope-ignored"]],
    [
      "an intercept without a slope",
      changed((view) => {
        view.setFloat32(112, 0, true)
        view.setFloat32(116, -1024, true)
      }),
      ["intercept-ignored"],
    ],
    ["bytes after the voxels", new Uint8Array([...writeNifti(small), 0, 0, 0]), ["trailing-bytes"]],
  ])("%s: read with a note", async (_, bytes, expected) => {
    expect(await codes(bytes)).toEqual(expected)
    expect((await read(bytes)).volume.voxels).toEqual(small.voxels)
  })

  test("text in the header never reaches the receipt", async () => {
    const bytes = changed((view) => {
      for (const at of [4, 14, 148, 228, 328])
        new Uint8Array(view.buffer).set(new TextEncoder().encode("DOE^JANE"), at)
    })
    expect(JSON.stringify((await read(bytes)).receipt)).not.toMatch(/DOE/)
  })
})

type Setter = (view: DataView, at: number, value: number, little: boolean) => void
/** Code in nifti1.h, bytes per voxel, what is added to the stored numbers, how one is written. */
const types: [string, number, number, number, Setter][] = [
  ["uint8", 2, 1, 29, (view, at, value) => view.setUint8(at, value)],
  ["int8", 256, 1, -90, (view, at, value) => view.setInt8(at, value)],
  ["uint16", 512, 2, 40_000, (view, at, value, little) => view.setUint16(at, value, little)],
  ["int16", 4, 2, -30, (view, at, value, little) => view.setInt16(at, value, little)],
  ["uint32", 768, 4, 2 ** 31, (view, at, value, little) => view.setUint32(at, value, little)],
  ["int32", 8, 4, -(2 ** 30), (view, at, value, little) => view.setInt32(at, value, little)],
  // Beyond 2^32, so that the high word counts.
  ["uint64", 1280, 8, 2 ** 33, (view, at, value, little) => view.setBigUint64(at, BigInt(value), little)],
  ["int64", 1024, 8, -(2 ** 33), (view, at, value, little) => view.setBigInt64(at, BigInt(value), little)],
  ["float32", 16, 4, 0.5, (view, at, value, little) => view.setFloat32(at, value, little)],
  ["float64", 64, 8, 0.5, (view, at, value, little) => view.setFloat64(at, value, little)],
]

describe.each([
  ["little", true],
  ["big", false],
])("%s endian", (_, little) => {
  test.each(types)("%s is read exactly, slope and intercept in double", async (_, code, size, added, set) => {
    const bytes = new Uint8Array(352 + 60 * size)
    const view = new DataView(bytes.buffer)
    const from = new DataView(writeNifti(small).buffer)
    for (const at of [40, 42, 44, 46, 252, 254]) view.setInt16(at, from.getInt16(at, true), little)
    for (let at = 76; at < 112; at += 4) view.setFloat32(at, from.getFloat32(at, true), little)
    for (let at = 280; at < 328; at += 4) view.setFloat32(at, from.getFloat32(at, true), little)
    view.setInt32(0, 348, little)
    view.setInt16(70, code, little)
    view.setUint8(123, 2) // mm
    bytes.set([0x6e, 0x2b, 0x31, 0], 344) // n+1
    // (n + added) · 32 − added · 32 = 32 n: −928 to 960 HU.
    view.setFloat32(112, 32, little)
    view.setFloat32(116, -added * 32, little)
    const numbers = Array.from({ length: 60 }, (_, i) => i - 29)
    for (const [i, n] of numbers.entries()) set(view, 352 + i * size, n + added, little)
    const { voxels } = (await read(bytes)).volume
    expect([...voxels]).toEqual(numbers.map((n) => 32 * n))
  })
})

describe("gzip", () => {
  test("is told by content: a .nii may be gzip, a .nii.gz plain, and a stream may have several members", async () => {
    const bytes = writeNifti(small)
    const parts = Buffer.concat([gzipSync(bytes.subarray(0, 370)), gzipSync(bytes.subarray(370))])
    const paths = [save(gzipSync(bytes), "b.nii"), save(bytes, "c.nii.gz"), save(parts, "d.nii.gz")]
    for (const path of paths) expect((await readNifti(path)).volume.voxels).toEqual(small.voxels)
  })

  test("a few bytes cannot make a volume allocate: deflate does not pack that tightly", async () => {
    const bytes = changed((view) => {
      for (const at of [42, 44, 46]) view.setInt16(at, 800, true) // 1 GB of voxels
    })
    // Cut, so that reading on would give another fault than looking at the promise does.
    expect(await fault(gzipSync(bytes).subarray(0, -8))).toBe("truncated")
  })

  test("a pair may be gzip on either side", async () => {
    const bytes = changed((view) => {
      view.setUint8(345, 0x69) // ni1
      view.setFloat32(108, 0, true)
    })
    const header = save(gzipSync(bytes.subarray(0, 348)), "e.hdr.gz")
    const image = save(bytes.subarray(352), "e.img")
    for (const path of [header, image]) expect((await readNifti(path)).volume.voxels).toEqual(small.voxels)
  })
})

test("a path that is no file is a fault, not a crash", async () => {
  await expect(readNifti(join(folder, "absent.nii"))).rejects.toMatchObject({
    kind: "missing",
    code: "no-such-file",
  })
  await expect(readNifti(folder)).rejects.toMatchObject({ kind: "invalid", code: "not-a-file" })
})
