/** Dot product of `a` and the `a.length` numbers of `b` from `offset` on. */
export function dot(a: Float32Array, b: Float32Array, offset = 0): number {
  // Four running sums: the loop is bound by the latency of one addition otherwise.
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  const n = a.length
  const n4 = n - (n % 4)
  let i = 0
  for (; i < n4; i += 4) {
    s0 += a[i] * b[offset + i]
    s1 += a[i + 1] * b[offset + i + 1]
    s2 += a[i + 2] * b[offset + i + 2]
    s3 += a[i + 3] * b[offset + i + 3]
  }
  for (; i < n; i++) s0 += a[i] * b[offset + i]
  return s0 + s1 + (s2 + s3)
}

/** The vector of length 1 in the same direction; undefined for a zero or non-finite vector. */
export function unit(v: Float32Array): Float32Array | undefined {
  const length = Math.sqrt(dot(v, v))
  if (!Number.isFinite(length) || length === 0) return undefined
  return v.map((x) => x / length)
}
