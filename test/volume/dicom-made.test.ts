import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { deflateRawSync } from "node:zlib"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { apply } from "#shared/volume/affine.ts"
import { discover } from "#shared/volume/discover.ts"
import type { ReadVolume } from "#shared/volume/volume.ts"
import { ctObject, elements, encapsulated, type Item, sequence, words } from "./dicom-writer.ts"

/** DICOM series written here, each for the one trait that its test names. */
describe("series made for one trait", () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "voxkin-test-"))
  })
  afterAll(() => rm(folder, { recursive: true }))

  let sets = 0
  async function read(files: Buffer[]): Promise<ReadVolume> {
    const path = join(folder, String(sets++))
    await mkdir(path)
    await Promise.all(files.map((bytes, i) => writeFile(join(path, `${i}.dcm`), bytes)))
    const { candidates } = await discover(path)
    expect(candidates.length).toBe(1)
    return candidates[0].read()
  }

  const ramp = Array.from({ length: 16 }, (_, i) => i * 100 - 1000)
  const heights = (count: number) => Array.from({ length: count }, (_, i) => 2 * i)
  const stackOf = (zs: number[], changes: Item[] = [], values = ramp) =>
    zs.map((z) => ctObject(z, changes, words(values)))
  const firstPlane = ({ volume }: ReadVolume) => [...volume.voxels.subarray(0, 16)]

  test("12 signed bits in 16, overlay bits above them", async () => {
    const bits: Item[] = [
      [0x00280101, "US", 12],
      [0x00280102, "US", 11],
    ]
    const overlaid = ramp.map((v, i) => (v & 0x0fff) | (i % 2 ? 0x5000 : 0))
    expect(firstPlane(await read(stackOf(heights(3), bits, overlaid)))).toEqual(ramp)
  })

  test("bits stored above bit 0", async () => {
    const bits: Item[] = [
      [0x00280101, "US", 12],
      [0x00280102, "US", 15],
    ]
    const shifted = ramp.map((v) => v << 4)
    expect(firstPlane(await read(stackOf(heights(3), bits, shifted)))).toEqual(ramp)
  })

  test("8 and 32 bits allocated", async () => {
    const format = (bits: number, signed: number): Item[] => [
      [0x00280100, "US", bits],
      [0x00280101, "US", bits],
      [0x00280102, "US", bits - 1],
      [0x00280103, "US", signed],
    ]
    const bytes = elements([[0x7fe00010, "OB", Buffer.from(ramp.map((_, i) => i * 10))]])
    const rescale: Item[] = [
      [0x00281052, "DS", "-1000"],
      [0x00281053, "DS", "10"],
    ]
    const eight = heights(3).map((z) => ctObject(z, [...format(8, 0), ...rescale], bytes))
    expect(firstPlane(await read(eight))).toEqual(ramp)
    const longs = elements([[0x7fe00010, "OW", Buffer.from(Int32Array.from(ramp).buffer)]])
    expect(firstPlane(await read(heights(3).map((z) => ctObject(z, format(32, 1), longs))))).toEqual(ramp)
  })

  test("a range of padding values is air, whichever end is given first", async () => {
    const padding: Item[] = [
      [0x00280120, "US", 500],
      [0x00280121, "US", 300],
    ]
    const air = ramp.map((v) => (v >= 300 && v <= 500 ? -1000 : v))
    expect(firstPlane(await read(stackOf(heights(3), padding)))).toEqual(air)
  })

  test("slope and intercept are applied in double", async () => {
    const rescale: Item[] = [
      [0x00281052, "DS", "-1024.1"],
      [0x00281053, "DS", "0.1"],
    ]
    const values = ramp.map((v) => v + 10000)
    const expected = values.map((v) => Math.fround(v * 0.1 - 1024.1))
    expect(firstPlane(await read(stackOf(heights(3), rescale, values)))).toEqual(expected)
  })

  /** One literal run per byte plane, the most significant first. */
  function rle(values: number[]): Buffer {
    const planes = [8, 0].map((shift) => Buffer.of(15, ...values.map((v) => (v >> shift) & 0xff), 0))
    const head = Buffer.alloc(64)
    head.writeUInt32LE(2, 0)
    head.writeUInt32LE(64, 4)
    head.writeUInt32LE(64 + planes[0].length, 8)
    return Buffer.concat([head, ...planes])
  }
  const positions = (zs: number[]) =>
    zs.map((z) => elements([sequence(0x00209113, [elements([[0x00200032, "DS", `0\\0\\${z}`]])])]))

  test("frames of several fragments, told by the offset table and placed by their groups", async () => {
    const frames = [2, 0, 1].map((frame) => rle(ramp.map((v) => v + frame)))
    const fragments = frames.flatMap((frame) => [frame.subarray(0, 70), frame.subarray(70)])
    const size = frames[0].length + 16
    const object = ctObject(
      0,
      [[0x00280008, "IS", "3"], sequence(0x52009230, positions([4, 0, 2]))],
      encapsulated([0, size, 2 * size], fragments),
      { syntax: "1.2.840.10008.1.2.5" },
    )
    const { volume, receipt } = await read([object])
    expect(volume.shape).toEqual([3, 4, 4])
    expect([0, 16, 32].map((i) => volume.voxels[i])).toEqual([-1000, -999, -998])
    expect(receipt.files).toBe(1)
  })

  test("an extended offset table before the pixels is stepped over", async () => {
    const table = elements([[0x7fe00001, "OV", Buffer.alloc(8)]])
    const files = heights(3).map((z) => ctObject(z, [], Buffer.concat([table, words(ramp)])))
    expect(firstPlane(await read(files))).toEqual(ramp)
  })

  test("classic multi-frame lies along the normal, and says that this was counted", async () => {
    const items: Item[] = [
      [0x00280008, "IS", "3"],
      [0x00180088, "DS", "2.5"],
    ]
    const { volume, receipt } = await read([ctObject(10, items, words([...ramp, ...ramp, ...ramp]))])
    expect(volume.spacing[0]).toBeCloseTo(2.5, 10)
    expect(apply(volume.affine, [2, 0, 0])).toEqual([0, 0, 15])
    expect(receipt.notes.map((note) => note.code)).toEqual(["positions-counted"])
  })

  test("slices thinner than they lie apart are noted", async () => {
    const { receipt } = await read(stackOf(heights(4), [[0x00180050, "DS", "1"]]))
    expect(receipt.notes.map((note) => note.code)).toEqual(["gaps-between-slices"])
  })

  const without = (zs: number[], ...absent: number[]) => zs.filter((_, i) => !absent.includes(i))
  const refused = (files: Buffer[]) => read(files).catch((fault) => fault.code)

  test("a deflated object is inflated as far as its pixels reach; a header that goes on and on is refused", async () => {
    const deflate = (object: Buffer) => {
      const meta = elements([[0x00020010, "UI", "1.2.840.10008.1.2.1.99"]])
      const start = 132 + elements([[0x00020010, "UI", "1.2.840.10008.1.2.1"]]).length
      return Buffer.concat([object.subarray(0, 132), meta, deflateRawSync(object.subarray(start))])
    }
    const bomb = Buffer.alloc(80e6)
    const after = heights(3).map((z) => ctObject(z, [], Buffer.concat([words(ramp), bomb])))
    expect(firstPlane(await read(after.map(deflate)))).toEqual(ramp)
    const within = ctObject(0, [[0x00290010, "OB", bomb]], words(ramp))
    await writeFile(join(folder, "bomb.dcm"), deflate(within))
    await expect(discover(join(folder, "bomb.dcm"))).rejects.toMatchObject({ code: "damaged-header" })
  })

  test("two absent slices side by side, or more than 5 %, are refused", async () => {
    expect(await refused(stackOf(without(heights(40), 10, 11)))).toBe("missing-slices")
    expect(await refused(stackOf(without(heights(40), 5, 15, 25)))).toBe("missing-slices")
    const { volume } = await read(stackOf(without(heights(40), 5, 25)))
    expect(volume.shape[0]).toBe(40)
  })

  test("slices from 1 to 5 mm apart are refused, positions rounded to a tenth of a step are not", async () => {
    expect(await refused(stackOf([0, 1, 2, 3, 4, 9, 14, 19, 24]))).toBe("uneven-spacing")
    const { receipt } = await read(stackOf([0, 0.6, 1.3, 1.9, 2.5, 3.1]))
    expect(receipt.notes).toEqual([])
  })

  test("slices shifted sideways are refused", async () => {
    const files = heights(6).map((z) =>
      ctObject(z, [[0x00200032, "DS", `${z === 4 ? 3 : 0}\\0\\${z}`]], words(ramp)),
    )
    expect(await refused(files)).toBe("shifted-slices")
  })

  test("a slice of another plane in the series does not join the stack", async () => {
    const other: Item[] = [
      [0x00200037, "DS", "1\\0\\0\\0\\0\\-1"],
      [0x00080018, "UI", "9.9"],
    ]
    const { volume } = await read([...stackOf(heights(5)), ctObject(3, other, words(ramp))])
    expect(volume.shape).toEqual([5, 4, 4])
  })

  test("values that are said to be no HU are refused", async () => {
    expect(await refused(stackOf(heights(3), [[0x00281054, "LO", "Z_EFF"]]))).toBe("not-hu")
  })

  describe("rescale", () => {
    const unsaid = [0x00281052, 0x00281053]
    const lacking = (zs: number[]) => zs.map((z) => ctObject(z, [], words(ramp), { without: unsaid }))

    test("what every slice lacks is taken as 1 and 0, and said", async () => {
      const made = await read(lacking(heights(3)))
      expect(firstPlane(made)).toEqual(ramp)
      expect(made.receipt.notes.map((note) => note.code)).toEqual(["rescale-assumed"])
    })

    test("what only some slices lack is refused: they would be another scale", async () => {
      const files = [...stackOf([0, 2], [[0x00281052, "DS", "-24"]]), ...lacking([4])]
      expect(await refused(files)).toBe("bad-rescale")
    })

    test.each<[string, Item]>([
      ["a slope of 0", [0x00281053, "DS", "0"]],
      ["a decimal comma", [0x00281052, "DS", "-1024,5"]],
      ["a modality LUT", sequence(0x00283000, [elements([[0x00283002, "US", 1]])])],
    ])("%s is refused", async (_, item) => {
      expect(await refused(stackOf(heights(3), [item]))).toBe("bad-rescale")
    })

    test("padding that could be tissue becomes air, and that is said", async () => {
      const made = await read(stackOf(heights(3), [[0x00280120, "US", 0]]))
      expect(firstPlane(made)).toEqual(ramp.map((v) => (v === 0 ? -1000 : v)))
      expect(made.receipt.notes.map((note) => note.code)).toEqual(["padding-within-range"])
    })

    test("−2000 as padding, written as an unsigned number, is air without remark", async () => {
      const padded = ramp.map((v, i) => (i < 4 ? -2000 : v))
      const made = await read(stackOf(heights(3), [[0x00280120, "US", 63536]], padded))
      expect(firstPlane(made)).toEqual(ramp.map((v, i) => (i < 4 ? -1000 : v)))
      expect(made.receipt.notes).toEqual([])
    })
  })

  describe("phases under one series", () => {
    /** Slices of one acquisition, its numbers from 1; all 5 HU higher in each further one. */
    const acquisition = (number: number, zs: number[]) =>
      zs.map((z, i) => {
        const named: Item[] = [
          [0x00080018, "UI", `9.${number}.${i}`],
          [0x00200012, "IS", String(number)],
          [0x00200013, "IS", String(i + 1)],
        ]
        return ctObject(z, named, words(ramp.map((v) => v + 5 * number)))
      })

    test("two at the same places are refused", async () => {
      expect(await refused([...acquisition(1, heights(4)), ...acquisition(2, heights(4))])).toBe(
        "several-volumes",
      )
    })

    test("two whose slices alternate are refused", async () => {
      const between = heights(5).map((z) => z + 1)
      expect(await refused([...acquisition(1, heights(6)), ...acquisition(2, between)])).toBe(
        "several-volumes",
      )
    })

    test("of a shorter second one nothing gets into the volume", async () => {
      const files = [...acquisition(1, heights(8)), ...acquisition(2, heights(8).slice(5))]
      const { volume, receipt } = await read(files)
      const starts = heights(8).map((_, z) => volume.voxels[16 * z])
      expect(starts).toEqual(heights(8).map(() => -995))
      expect(receipt.notes.map((note) => note.code)).toEqual(["duplicate-positions"])
    })

    test("steps of one scan, an acquisition each, are one volume", async () => {
      const files = [0, 1, 2].flatMap((step) =>
        acquisition(
          step,
          [0, 2].map((z) => z + 4 * step),
        ),
      )
      expect((await read(files)).volume.shape[0]).toBe(6)
    })
  })
})
