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
