/** Uniform numbers in [0, 1), the same sequence for the same seed on every machine. */
export type Random = () => number

/**
 * xoshiro128** (Blackman and Vigna 2018) with its state filled by splitmix32, so that neighboring seeds give
 * unrelated sequences.
 */
export function prng(seed: number): Random {
  let mix = seed >>> 0
  const next = () => {
    mix = (mix + 0x9e3779b9) >>> 0
    let t = mix ^ (mix >>> 16)
    t = Math.imul(t, 0x21f0aaad)
    t ^= t >>> 15
    t = Math.imul(t, 0x735a2d97)
    return (t ^ (t >>> 15)) >>> 0
  }
  let [a, b, c, d] = [next(), next(), next(), next()]
  return () => {
    const product = Math.imul(b, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = (d << 11) | (d >>> 21)
    return result / 2 ** 32
  }
}

/** A whole number from 0 to `below` − 1. */
export function randomInt(random: Random, below: number): number {
  return Math.floor(random() * below)
}

/** Puts the items into random order, in place (Fisher and Yates). */
export function shuffle<T>(items: T[], random: Random): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = randomInt(random, i + 1)
    const item = items[i]
    items[i] = items[j]
    items[j] = item
  }
  return items
}
