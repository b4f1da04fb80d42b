/** JPEG 2000 markers; ISO/IEC 15444-1 table A.2. */
const soc = 0xff4f
const siz = 0xff51
const sot = 0xff90
const sop = 0xff91
const eph = 0xff92
const sod = 0xff93
const eoc = 0xffd9

/**
 * Checks the frame of a JPEG 2000 or HTJ2K codestream before it is decoded. The decoders allocate what SIZ claims and
 * fill in for damage without a word, so size and structure are held against the header here: the tile-parts' lengths
 * must add up, and their bit-stuffed data may hold no value above FF8F (ISO/IEC 15444-1 B.10.1, D.4.1), which damage
 * soon brings about.
 * @throws Error saying what is wrong
 */
export function checkCodestream(bytes: Uint8Array, rows: number, columns: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 42 || view.getUint16(0) !== soc || view.getUint16(2) !== siz)
    throw new Error("no codestream")
  const [width, height] = [view.getUint32(8) - view.getUint32(16), view.getUint32(12) - view.getUint32(20)]
  if (width !== columns || height !== rows) throw new Error(`${height} × ${width} in the codestream`)
  if (view.getUint16(40) !== 1) throw new Error("more than one component")

  let at = 2
  while (view.getUint16(at) !== sot) at = next(view, at)
  while (at + 12 <= bytes.length && view.getUint16(at) === sot) {
    // Psot: bytes of the tile-part from SOT on; 0 in the last one means: up to EOC (and a padding byte).
    const length = view.getUint32(at + 6)
    const end = length === 0 ? bytes.length - (bytes.at(-1) === 0 ? 3 : 2) : at + length
    if (end > bytes.length) throw new Error("a tile-part is cut")
    while (view.getUint16(at) !== sod) at = next(view, at)
    checkStuffing(bytes.subarray(at + 2, end))
    at = end
  }
  if (at + 2 > bytes.length || view.getUint16(at) !== eoc) throw new Error("the end marker is missing")
}

/** The position after the marker segment at `at`. */
function next(view: DataView, at: number): number {
  if (at + 6 > view.byteLength || view.getUint8(at) !== 0xff) throw new Error("its markers break off")
  return at + 2 + Math.max(2, view.getUint16(at + 2))
}

function checkStuffing(data: Uint8Array): void {
  for (let i = data.indexOf(0xff); i >= 0 && i + 1 < data.length; i = data.indexOf(0xff, i + 1)) {
    const marker = 0xff00 + data[i + 1]
    if (marker >= sot && marker !== sop && marker !== eph) throw new Error("damaged within its coded data")
  }
}
