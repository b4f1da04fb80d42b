/** Start of a lossless frame, ITU-T T.81 table B.1, and of a JPEG-LS frame, ITU-T T.87 C.1. */
export const sof3 = 0xffc3
export const sof55 = 0xfff7
const endOfImage = 0xffd9

/**
 * Holds the size in a JPEG's frame header against the DICOM header, before a decoder allocates what it claims, and
 * looks for the end marker: CharLS reads on for ever in some streams that lack it.
 * @throws Error saying what is wrong
 */
export function checkJpegSize(bytes: Uint8Array, sof: number, rows: number, columns: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 2
  for (; at + 10 <= bytes.length && view.getUint16(at) !== sof; at += 2 + view.getUint16(at + 2)) {
    if (bytes[at] !== 0xff) break
  }
  if (at + 10 > bytes.length || view.getUint16(at) !== sof) throw new Error("no frame header")
  const [height, width, components] = [view.getUint16(at + 5), view.getUint16(at + 7), bytes[at + 9]]
  if (height !== rows || width !== columns || components !== 1)
    throw new Error(`${height} × ${width} × ${components} in the JPEG`)
  // A fragment of odd length is padded by a zero; PS3.5 A.4.
  const end = bytes.at(-1) === 0 ? bytes.length - 3 : bytes.length - 2
  if (view.getUint16(end) !== endOfImage) throw new Error("the end marker is missing")
}
