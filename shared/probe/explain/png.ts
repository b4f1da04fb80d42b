import { deflateSync } from "node:zlib"

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)

/**
 * A PNG of 8-bit grey values (W3C PNG, third edition: chunks IHDR, IDAT, IEND), each row as it is or as its difference
 * from the row above.
 * @param grey row by row from the top, [height, width]
 */
export function encodePng(grey: Uint8Array, width: number, height: number): Uint8Array {
  const header = new DataView(new ArrayBuffer(13))
  header.setUint32(0, width)
  header.setUint32(4, height)
  header.setUint8(8, 8) // bit depth; colour type, compression, filter method and interlace are 0: grey, deflate, adaptive, none
  const rows = new Uint8Array(height * (width + 1))
  for (let y = 0; y < height; y++) {
    const at = y * (width + 1)
    rows[at] = y === 0 ? 0 : 2 // filter type: none, or up
    for (let x = 0; x < width; x++) {
      const here = y * width + x
      rows[at + 1 + x] = y === 0 ? grey[here] : grey[here] - grey[here - width]
    }
  }
  return Buffer.concat([
    signature,
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", new Uint8Array(0)),
  ])
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(12 + data.length)
  bytes.writeUInt32BE(data.length, 0)
  bytes.write(type, 4, "latin1")
  bytes.set(data, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length)
  return bytes
}

/** CRC-32 of each byte: PNG specification, annex D. (`zlib.crc32` came with Node 20.15.) */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let c = byte
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c
})

function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff
  for (const byte of bytes) c = table[(c ^ byte) & 0xff] ^ (c >>> 8)
  return (c ^ 0xffffffff) >>> 0
}
