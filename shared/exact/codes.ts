import { type Kernel, openKernel } from "#shared/kernel/scan.ts"
import { dot } from "#shared/vector.ts"
import { breathing } from "./breath.ts"
import type { Approximation, Terms } from "./scan.ts"

/**
 * Rows as int8 codes about their mean μ: x = μ + scale · code + r, with one scale a row. What a scan of them says
 * about the true score q·x of a query q, and why it can be trusted:
 *
 *   q·x = q·μ + q·(scale · code) + q·r,   |q·r| ≤ ‖q‖ ‖r‖                         (Cauchy and Schwarz)
 *
 * The query becomes int16 too: q = unit · int + ρ, so the middle term is scale · unit · (int·code) + ρ·(scale · code),
 * and the last part of that is at most ‖ρ‖ ‖scale · code‖ ≤ ‖ρ‖ reach. `int·code` is an exact integer, below 2³¹. The
 * rest is rounding, in units of 2⁻²⁴ (‖q‖ + ‖ρ‖) reach: the kernel's f32 score 3, its score + residual · spread 4,
 * the floor it compares with 3; all f64 sums, the true score's own among them, together below 1 up to dim 2²⁰. We
 * allow 16, so 2⁻²⁰. Each row keeps ‖r‖, rounded up.
 */
export interface Codes {
  dim: number
  /** [size, codeStride(dim)] bytes: dim codes, zeros, then the row's scale and ‖r‖ as little-endian f32. */
  rows: Uint8Array<ArrayBuffer>
  /** μ, [dim]. */
  mean: Float32Array
  /** At least the length of every x, x − μ, scale · code and r. */
  reach: number
}

/** Bytes of one row of codes: eight for its two numbers, and a multiple of the 16 that a SIMD register holds. */
export const codeStride = (dim: number) => Math.ceil((dim + 8) / 16) * 16

/** Below it a scale would be no ordinary float; such a row lies at the mean, and its codes are zero. */
const smallestScale = 1e-30

interface Vectors {
  dim: number
  /** [size, dim] */
  vectors: Float32Array
}

/** Writes the codes of `vectors` to `rows`, with a pause after each. @throws RangeError as `makeCodes` */
function* encodeRows({ dim, vectors }: Vectors, rows: Uint8Array<ArrayBuffer>): Generator<undefined, Codes> {
  const size = vectors.length / dim
  const stride = codeStride(dim)
  const sum = new Float64Array(dim)
  for (let row = 0; row < size; row++) {
    for (let i = 0; i < dim; i++) sum[i] += vectors[row * dim + i]
    yield
  }
  const mean = Float32Array.from(sum, (x) => x / Math.max(size, 1))

  const codes = new Int8Array(rows.buffer, rows.byteOffset, size * stride)
  const numbers = new Float32Array(rows.buffer, rows.byteOffset, (size * stride) / 4)
  let reach = 0
  for (let row = 0; row < size; row++) {
    const from = row * dim
    let longest = 0
    let largest = 0
    for (let i = 0; i < dim; i++) {
      const x = vectors[from + i]
      longest += x * x
      largest = Math.max(largest, Math.abs(x - mean[i]))
    }
    if (!(longest < 2 ** 80)) throw new RangeError(`row ${row} is no unit vector`)
    const fits = Math.fround(largest / 127)
    const scale = fits < smallestScale ? 0 : fits
    const inverse = scale === 0 ? 0 : 1 / scale
    let offset = 0
    let coded = 0
    let rest = 0
    for (let i = 0; i < dim; i++) {
      const x = vectors[from + i] - mean[i]
      const code = Math.round(x * inverse)
      codes[row * stride + i] = code
      const y = scale * code
      offset += x * x
      coded += y * y
      rest += (x - y) * (x - y)
    }
    numbers[((row + 1) * stride) / 4 - 2] = scale
    numbers[((row + 1) * stride) / 4 - 1] = up(Math.sqrt(rest))
    reach = Math.max(reach, longest, offset, coded, rest)
    yield
  }
  // No smaller than 1e-20: of rows that are all but zero, the smallest floats' own rounding would count.
  return { dim, rows, mean, reach: up(Math.max(1e-20, Math.sqrt(reach))) }
}

/** A float32 that is not below x ≥ 0. */
const up = (x: number) => Math.fround(x * (1 + 2 ** -22))

/**
 * Codes of vectors, made in a kernel's memory; the event loop runs meanwhile.
 * @throws RangeError for a row with NaN or infinity, or far longer than a unit vector
 */
export async function makeCodes(source: Vectors): Promise<Approximation & Codes> {
  const { kernel, steps } = making(source)
  const breath = breathing()
  let step = steps.next()
  for (; !step.done; step = steps.next()) if (breath.due()) await breath.take()
  return { ...step.value, ...codesIn(kernel, step.value) }
}

/** `makeCodes` at one go, for where nobody waits. */
export function makeCodesNow(source: Vectors): Approximation & Codes {
  const { kernel, steps } = making(source)
  let step = steps.next()
  while (!step.done) step = steps.next()
  return { ...step.value, ...codesIn(kernel, step.value) }
}

function making(source: Vectors): { kernel: Kernel; steps: Generator<undefined, Codes> } {
  const stride = codeStride(source.dim)
  const count = source.vectors.length / source.dim
  if (!Number.isInteger(count)) throw new RangeError(`these are no rows of ${source.dim}`)
  const kernel = openKernel({ stride, count, queryBytes: 2 * stride, scan: "codes" })
  return { kernel, steps: encodeRows(source, kernel.rows) }
}

/** Codes that lie in a kernel's memory, for the scan. */
export function codesIn(kernel: Kernel, { dim, mean, reach, rows }: Codes): Approximation {
  const stride = codeStride(dim)
  const numbers = new Float32Array(rows.buffer, rows.byteOffset, rows.length / 4)
  return {
    dim,
    size: rows.length / stride,
    stride,
    kernel,
    residual: (row) => numbers[((row + 1) * stride) / 4 - 1],
    terms: (query) => codeQuery(query, { mean, reach, stride }),
  }
}

function codeQuery(
  query: Float32Array,
  { mean, reach, stride }: { mean: Float32Array; reach: number; stride: number },
): Terms {
  // As fine as int16 allows without a sum of |int| · 127 that could reach 2³¹.
  const most = Math.min(32_767, Math.floor((2 ** 31 - 1) / (127 * query.length)))
  let largest = 0
  for (let i = 0; i < query.length; i++) {
    const x = Math.abs(query[i])
    if (x > largest) largest = x
  }
  const unit = largest / most || 1
  const inverse = 1 / unit
  const int = new Int16Array(stride)
  let length = 0
  let rest = 0
  for (let i = 0; i < query.length; i++) {
    const x = query[i]
    const whole = Math.floor(x * inverse + 0.5)
    const left = x - unit * whole
    int[i] = whole
    length += x * x
    rest += left * left
  }
  const [q, rho] = [Math.sqrt(length), Math.sqrt(rest)]
  return {
    bytes: new Uint8Array(int.buffer),
    base: dot(query, mean),
    unit,
    spread: q / unit,
    slack: rho * reach + 2 ** -20 * (q + rho) * reach,
  }
}
