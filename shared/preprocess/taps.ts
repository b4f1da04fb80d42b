/**
 * A linear map along one axis: out[i] = Σₜ weights[i · width + t] · in[first[i] + t]. Every tap lies inside the input,
 * and `first` never falls, so an axis can be read as a stream.
 */
export interface Taps {
  /** Length of the input axis. */
  from: number
  /** Length of the output axis. */
  to: number
  width: number
  first: Int32Array
  weights: Float64Array
}

/**
 * Linear resampling from `from` to `to` samples as PyTorch's interpolate(size=…, align_corners=False): output i lies
 * at (i + 0.5) · from / to − 0.5, held at the first and last sample. PyTorch computes this in float32, we in float64.
 */
export function linear(from: number, to: number): Taps {
  if (from === to) {
    const first = Int32Array.from({ length: to }, (_, i) => i)
    return { from, to, width: 1, first, weights: new Float64Array(to).fill(1) }
  }
  const width = Math.min(2, from)
  const first = new Int32Array(to)
  const weights = new Float64Array(to * width)
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1)
    first[i] = Math.min(Math.floor(at), from - width)
    const rest = at - first[i]
    if (width === 2) weights[2 * i] = 1 - rest
    weights[width * i + width - 1] = width === 2 ? rest : 1
  }
  return { from, to, width, first, weights }
}

/** One map that does `inner`, then `outer`. */
export function chain(inner: Taps, outer: Taps): Taps {
  const { from } = inner
  const { to } = outer
  const start = (i: number) => inner.first[outer.first[i]]
  const end = (i: number) => inner.first[outer.first[i] + outer.width - 1] + inner.width
  let width = 1
  for (let i = 0; i < to; i++) width = Math.max(width, end(i) - start(i))
  const first = new Int32Array(to)
  const weights = new Float64Array(to * width)
  for (let i = 0; i < to; i++) {
    first[i] = Math.min(start(i), from - width)
    for (let t = 0; t < outer.width; t++) {
      const middle = outer.first[i] + t
      const weight = outer.weights[i * outer.width + t]
      const at = i * width + inner.first[middle] - first[i]
      for (let s = 0; s < inner.width; s++)
        weights[at + s] += weight * inner.weights[middle * inner.width + s]
    }
  }
  return { from, to, width, first, weights }
}

/** Only the `length` outputs from `offset` on. */
export function part(taps: Taps, offset: number, length: number): Taps {
  const { from, width } = taps
  return {
    from,
    to: length,
    width,
    first: taps.first.subarray(offset, offset + length),
    weights: taps.weights.subarray(offset * width, (offset + length) * width),
  }
}
