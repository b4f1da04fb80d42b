/**
 * Decodes one RLE frame (PS3.5 annex G): a header of up to 15 segment offsets, then PackBits segments, one per byte
 * of a sample, the most significant first. Returns little-endian samples, `count` · `bytesPerSample` bytes.
 * @throws Error when the segments do not fit
 */
export function decodeRle(bytes: Uint8Array, count: number, bytesPerSample: number): Uint8Array {
  if (bytes.length < 64) throw new Error("the RLE header is cut")
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const segments = view.getUint32(0, true)
  if (segments !== bytesPerSample) throw new Error(`${segments} RLE segments, not ${bytesPerSample}`)
  const out = new Uint8Array(count * bytesPerSample)
  for (let s = 0; s < segments; s++) {
    const start = view.getUint32(4 + 4 * s, true)
    const end = s + 1 < segments ? view.getUint32(8 + 4 * s, true) : bytes.length
    if (start < 64 || end > bytes.length || start > end) throw new Error("an RLE segment lies outside")
    unpack(bytes.subarray(start, end), out, bytesPerSample - 1 - s, bytesPerSample)
  }
  return out
}

function unpack(segment: Uint8Array, out: Uint8Array, first: number, step: number): void {
  let to = first
  for (let at = 0; at + 1 < segment.length && to < out.length; ) {
    const control = segment[at++]
    if (control < 128) {
      for (let n = control + 1; n > 0 && at < segment.length && to < out.length; n--, to += step)
        out[to] = segment[at++]
    } else if (control > 128) {
      for (let n = 257 - control; n > 0 && to < out.length; n--, to += step) out[to] = segment[at]
      at++
    }
  }
  if (to < out.length) throw new Error("an RLE segment ends early")
}
