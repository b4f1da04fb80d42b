/** Mulberry32: the same numbers in [0, 1) for the same seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * [count, dim] unit vectors that vary mostly in 12 directions, with a little noise in all: as learnt features do,
 * and unlike points spread evenly, of which every graph finds few neighbours and nobody needs them.
 */
export function unitVectors(
  { count, dim }: { count: number; dim: number },
  seed = 1,
): Float32Array<ArrayBuffer> {
  const next = random(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  const latent = 12
  const directions = Float32Array.from({ length: latent * dim }, normal)
  const vectors = new Float32Array(count * dim)
  const row = new Float64Array(dim)
  for (let r = 0; r < count; r++) {
    for (let i = 0; i < dim; i++) row[i] = 0.3 * normal()
    for (let d = 0; d < latent; d++) {
      const weight = normal()
      for (let i = 0; i < dim; i++) row[i] += weight * directions[d * dim + i]
    }
    const length = Math.hypot(...row)
    for (let i = 0; i < dim; i++) vectors[r * dim + i] = row[i] / length
  }
  return vectors
}
