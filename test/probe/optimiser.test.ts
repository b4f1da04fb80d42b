import { describe, expect, test } from "vitest"
import { minimize, type Objective } from "#shared/probe/math/lbfgs.ts"
import { prng, randomInt, shuffle } from "#shared/probe/math/prng.ts"

/** Minimum 0 at (1, …, 1), along a curved valley. */
const rosenbrock: Objective = (x, gradient) => {
  gradient.fill(0)
  let value = 0
  for (let i = 0; i + 1 < x.length; i++) {
    const valley = x[i + 1] - x[i] ** 2
    value += 100 * valley ** 2 + (1 - x[i]) ** 2
    gradient[i] += -400 * x[i] * valley - 2 * (1 - x[i])
    gradient[i + 1] += 200 * valley
  }
  return value
}

describe("L-BFGS", () => {
  test("follows Rosenbrock's valley to its end", () => {
    const found = minimize(rosenbrock, Float64Array.of(-1.2, 1, -1.2, 1), { tolerance: 1e-9 })
    expect(found.converged).toBe(true)
    expect(found.gradientNorm).toBeLessThanOrEqual(1e-9)
    for (const x of found.x) expect(x).toBeCloseTo(1, 8)
  })

  test("says so when the iterations do not suffice", () => {
    const found = minimize(rosenbrock, Float64Array.of(-1.2, 1), { tolerance: 1e-9, maxIterations: 3 })
    expect(found).toMatchObject({ converged: false, iterations: 3 })
    expect(found.value).toBeLessThan(24.2)
  })

  test("stops, not converged, where the function is no number", () => {
    const nowhere: Objective = (x, gradient) => {
      gradient.fill(Number.NaN)
      return x[0] * Number.NaN
    }
    expect(minimize(nowhere, Float64Array.of(1), { tolerance: 1e-6 }).converged).toBe(false)
  })

  test("needs one step from the exact inverse Hessian of a quadratic, many without it", () => {
    const curvatures = Float64Array.from({ length: 30 }, (_, i) => 10 ** (i / 12))
    const bowl: Objective = (x, gradient) => {
      for (let i = 0; i < x.length; i++) gradient[i] = curvatures[i] * (x[i] - i)
      return curvatures.reduce((sum, c, i) => sum + (c / 2) * (x[i] - i) ** 2, 0)
    }
    const precondition = (g: Float64Array) => {
      for (let i = 0; i < g.length; i++) g[i] /= curvatures[i]
    }
    const start = new Float64Array(30)
    const helped = minimize(bowl, start, { tolerance: 1e-8, precondition })
    const alone = minimize(bowl, start, { tolerance: 1e-8 })
    expect([helped.converged, alone.converged]).toEqual([true, true])
    expect(helped.iterations).toBeLessThanOrEqual(2)
    expect(alone.iterations).toBeGreaterThan(20)
    for (let i = 0; i < 30; i++) expect(alone.x[i]).toBeCloseTo(i, 6)
  })
})

describe("seeded randomness", () => {
  test("the same seed gives the same numbers, its neighbor others", () => {
    const five = (seed: number) => Array.from({ length: 5 }, prng(seed))
    expect(five(7)).toEqual(five(7))
    expect(five(7)).not.toEqual(five(8))
  })

  test("numbers are uniform: each tenth gets its share within 5 standard deviations", () => {
    const random = prng(3)
    const counts = new Array(10).fill(0)
    for (let i = 0; i < 100_000; i++) counts[randomInt(random, 10)]++
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(5 * Math.sqrt(9000))
  })

  test("shuffling loses nothing", () => {
    const items = Array.from({ length: 50 }, (_, i) => i)
    const shuffled = shuffle(items.slice(), prng(1))
    expect(shuffled).not.toEqual(items)
    expect(shuffled.sort((a, b) => a - b)).toEqual(items)
  })
})
