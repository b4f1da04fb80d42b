/**
 * float32 to IEEE 754 binary16 as bits, rounded to nearest, ties to even, subnormals kept. What rounds to 65 536 or
 * more becomes an infinity, as the standard has it: the caller decides whether that may be.
 */
export function toHalf(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const halves = new Uint16Array(values.length)
  for (let i = 0; i < bits.length; i++) {
    const sign = (bits[i] >>> 16) & 0x8000
    const size = bits[i] & 0x7fffffff
    let half: number
    if (size > 0x7f800000)
      half = 0x7e00 // NaN
    else if (size >= 0x47800000)
      half = 0x7c00 // 2^16 and more
    else if (size >= 0x38800000) {
      // Normal: exponent bias from 127 to 15, mantissa from 23 to 10 bits; the carry of rounding may raise the exponent.
      half = (size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13
    } else {
      // Below 2^-14 halves are multiples of 2^-24, which is the spacing of float32 at 0.5: let that addition round.
      half = (Math.fround(Math.abs(values[i]) + 0.5) - 0.5) * 2 ** 24
    }
    halves[i] = sign | half
  }
  return halves
}

/** The value of each of the 65 536 halves. */
const values = Float32Array.from({ length: 1 << 16 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >>> 10) & 0x1f
  const mantissa = bits & 0x3ff
  if (exponent === 0) return sign * mantissa * 2 ** -24
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15)
})

/** binary16 bits to float32, exactly. */
export function fromHalf(halves: Uint16Array): Float32Array {
  const out = new Float32Array(halves.length)
  for (let i = 0; i < out.length; i++) out[i] = values[halves[i]]
  return out
}

/** Whether no half is NaN or an infinity. */
export function allFinite(halves: Uint16Array): boolean {
  return halves.every((half) => (half & 0x7c00) !== 0x7c00)
}
