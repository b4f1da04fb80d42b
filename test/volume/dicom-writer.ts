/** One element: group · 65536 + element, VR, value. */
export type Item = [tag: number, vr: string, value: string | number | Uint8Array]

const long = new Set(["OB", "OW", "OV", "SQ", "UN"])

/** Explicit little endian elements; a US or SS is given as a number. */
export function elements(items: Item[]): Buffer {
  return Buffer.concat(
    items.flatMap(([tag, vr, value]) => {
      const bytes = bytesOf(value)
      const head = Buffer.alloc(long.has(vr) ? 12 : 8)
      head.writeUInt16LE(tag >>> 16, 0)
      head.writeUInt16LE(tag & 0xffff, 2)
      head.write(vr, 4, "latin1")
      if (long.has(vr)) head.writeUInt32LE(bytes.length, 8)
      else head.writeUInt16LE(bytes.length, 6)
      return [head, bytes]
    }),
  )
}

function bytesOf(value: string | number | Uint8Array): Uint8Array {
  if (typeof value === "number") return Buffer.of(value & 0xff, (value >> 8) & 0xff)
  const bytes = Buffer.from(value as string)
  return bytes.length % 2 ? Buffer.concat([bytes, Buffer.of(0x20)]) : bytes
}

/** A sequence of one item per dataset, each of defined length. */
export function sequence(tag: number, datasets: Buffer[]): Item {
  return [tag, "SQ", Buffer.concat(datasets.map((dataset) => part(0xe000, dataset)))]
}

function part(element: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16LE(0xfffe, 0)
  head.writeUInt16LE(element, 2)
  head.writeUInt32LE(bytes.length, 4)
  return Buffer.concat([head, bytes])
}

/** PixelData of undefined length: an offset table, then fragments. */
export function encapsulated(table: number[], fragments: Uint8Array[]): Buffer {
  const offsets = Buffer.from(Uint32Array.from(table).buffer)
  const head = elements([[0x7fe00010, "OB", Buffer.alloc(0)]])
  head.writeUInt32LE(0xffffffff, 8)
  return Buffer.concat([
    head,
    part(0xe000, offsets),
    ...fragments.map((fragment) => part(0xe000, fragment)),
    part(0xe0dd, Buffer.alloc(0)),
  ])
}

/** A CT slice of 4 × 4 pixels at height z; what a test changes comes after and wins, what it names `without` is absent. */
export function ctObject(
  z: number,
  changes: Item[],
  pixels: Buffer,
  { syntax = "1.2.840.10008.1.2.1", without = [] as number[] } = {},
): Buffer {
  const items: Item[] = [
    [0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"],
    [0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2"],
    [0x00080018, "UI", `1.2.3.4.${Math.round(z * 10)}`],
    [0x00080060, "CS", "CT"],
    [0x0020000e, "UI", "1.2.3"],
    [0x00200032, "DS", `0\\0\\${z}`],
    [0x00200037, "DS", "1\\0\\0\\0\\1\\0"],
    [0x00280002, "US", 1],
    [0x00280004, "CS", "MONOCHROME2"],
    [0x00280010, "US", 4],
    [0x00280011, "US", 4],
    [0x00280030, "DS", "1\\1"],
    [0x00280100, "US", 16],
    [0x00280101, "US", 16],
    [0x00280102, "US", 15],
    [0x00280103, "US", 1],
    [0x00281052, "DS", "0"],
    [0x00281053, "DS", "1"],
  ]
  const wanted = new Map([...items, ...changes].map((item) => [item[0], item]))
  const kept = [...wanted.values()].filter(([tag]) => !without.includes(tag))
  const sorted = kept.sort((a, b) => a[0] - b[0])
  const meta = elements([[0x00020010, "UI", syntax]])
  return Buffer.concat([Buffer.alloc(128), Buffer.from("DICM"), meta, elements(sorted), pixels])
}

/** Native 16-bit pixels. */
export function words(values: number[]): Buffer {
  return elements([[0x7fe00010, "OW", Buffer.from(Int16Array.from(values).buffer)]])
}
