/** Dot product of `length` numbers of `a` from `atA` on and of `b` from `atB` on. */
export function dot(a: Float64Array, atA: number, b: Float64Array, atB: number, length: number): number {
  // Four running sums: the loop is bound by the latency of one addition otherwise.
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let i = 0
  for (; i + 3 < length; i += 4) {
    s0 += a[atA + i] * b[atB + i]
    s1 += a[atA + i + 1] * b[atB + i + 1]
    s2 += a[atA + i + 2] * b[atB + i + 2]
    s3 += a[atA + i + 3] * b[atB + i + 3]
  }
  for (; i < length; i++) s0 += a[atA + i] * b[atB + i]
  return s0 + s1 + (s2 + s3)
}

/** Adds `factor` times `length` numbers of `source` from `from` on to those of `target` from `to` on. */
export function axpy(
  factor: number,
  source: Float64Array,
  from: number,
  target: Float64Array,
  to: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) target[to + i] += factor * source[from + i]
}

/** Every dot product of two of the `count` vectors of `length` numbers in `v`: [count, count], lower half. */
export function gram(v: Float64Array, count: number, length: number): Float64Array {
  const g = new Float64Array(count * count)
  // A slab of each vector stays in the cache while its products with the others are made.
  const slab = 256
  for (let from = 0; from < length; from += slab) {
    const to = Math.min(from + slab, length)
    for (let i = 0; i < count; i += 2) {
      for (let j = 0; j <= i; j += 4) addTile(g, v, count, length, i, j, from, to)
    }
  }
  return g
}

/** Adds the products of vectors i, i + 1 with j to j + 3 over one slab: eight sums that fit the registers. */
function addTile(
  g: Float64Array,
  v: Float64Array,
  count: number,
  length: number,
  i: number,
  j: number,
  from: number,
  to: number,
): void {
  // Past the last vector the last is repeated, and its products are not kept.
  const start = (k: number) => Math.min(k, count - 1) * length
  const [a0, a1, b0, b1, b2, b3] = [
    start(i),
    start(i + 1),
    start(j),
    start(j + 1),
    start(j + 2),
    start(j + 3),
  ]
  let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0]
  for (let t = from; t < to; t++) {
    const x0 = v[a0 + t]
    const x1 = v[a1 + t]
    const y0 = v[b0 + t]
    const y1 = v[b1 + t]
    const y2 = v[b2 + t]
    const y3 = v[b3 + t]
    s00 += x0 * y0
    s01 += x0 * y1
    s02 += x0 * y2
    s03 += x0 * y3
    s10 += x1 * y0
    s11 += x1 * y1
    s12 += x1 * y2
    s13 += x1 * y3
  }
  const sums = [s00, s01, s02, s03, s10, s11, s12, s13]
  for (let k = 0; k < 8; k++) {
    const row = i + (k >> 2)
    const column = j + (k & 3)
    if (row < count && column <= row) g[row * count + column] += sums[k]
  }
}
