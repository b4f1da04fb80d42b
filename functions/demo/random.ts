/** A seeded source of chance: the same seed gives the same phantom on every machine. */
export interface Random {
  /** uniform in [0, 1) */
  next(): number
  /** uniform in [low, high) */
  between(low: number, high: number): number
  pick<T>(choices: readonly T[]): T
}

/** mulberry32: 32 bits of state, enough for shapes and noise, and quick. */
export function random(seed: number): Random {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    pick: (choices) => choices[Math.floor(next() * choices.length)],
  }
}

/** `count` values of about normal noise (mean 0, standard deviation 1): the sum of a random number's four bytes. */
export function noise(count: number, seed: number): Float32Array {
  const out = new Float32Array(count)
  let s = (Math.imul(seed + 1, 0x85ebca6b) | 1) >>> 0
  for (let i = 0; i < count; i++) {
    // xorshift32
    s ^= s << 13
    s ^= s >>> 17
    s ^= s << 5
    // Four bytes: mean 4 · 127.5, variance 4 · (256² − 1) / 12.
    out[i] = ((s & 255) + ((s >>> 8) & 255) + ((s >>> 16) & 255) + (s >>> 24) - 510) / 147.8
  }
  return out
}
