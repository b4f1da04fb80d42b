import { axpy, dot } from "./blas.ts"
import { type Point, strongWolfe } from "./line-search.ts"

/** Returns the value at `x` and writes the gradient. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number

export interface Minimum {
  x: Float64Array
  value: number
  iterations: number
  /** The largest absolute entry of the gradient at `x`. */
  gradientNorm: number
  /** Whether `gradientNorm` came to `tolerance` or below. */
  converged: boolean
}

/** Multiplies by something near the inverse Hessian, positive definite, in place. */
export type Precondition = (vector: Float64Array) => void

export interface MinimizeOptions {
  tolerance: number
  maxIterations?: number
  precondition?: Precondition
}

/** Pairs of steps and gradient changes that stand in for the Hessian; 5 to 20 are usual (Liu and Nocedal 1989). */
const memory = 10

/**
 * L-BFGS with a strong-Wolfe line search (Nocedal and Wright, algorithm 7.5) for a smooth function, from `start`.
 * Stops when no entry of the gradient exceeds `tolerance`, after `maxIterations`, or when no step lowers the
 * value beyond rounding; `converged` tells which.
 */
export function minimize(
  objective: Objective,
  start: Float64Array,
  { tolerance, maxIterations = 1000, precondition }: MinimizeOptions,
): Minimum {
  const n = start.length
  let x = start.slice()
  let gradient = new Float64Array(n)
  let value = objective(x, gradient)
  let trialX = new Float64Array(n)
  let trialGradient = new Float64Array(n)
  const steps: Float64Array[] = []
  const changes: Float64Array[] = []
  const direction = new Float64Array(n)

  let iterations = 0
  let norm = largest(gradient)
  for (; norm > tolerance && iterations < maxIterations; iterations++) {
    descend(gradient, steps, changes, direction, precondition)
    const slope = product(gradient, direction)
    const at = (step: number): Point => {
      for (let i = 0; i < n; i++) trialX[i] = x[i] + step * direction[i]
      const trial = objective(trialX, trialGradient)
      return { step, value: trial, slope: product(trialGradient, direction) }
    }
    // Without memory the plain gradient's length says nothing about a good step.
    const first = steps.length === 0 && !precondition ? Math.min(1, 1 / Math.sqrt(-slope)) : 1
    const found = strongWolfe(at, { step: 0, value, slope }, first)
    if (!found) break

    const step = trialX.map((t, i) => t - x[i])
    const change = trialGradient.map((t, i) => t - gradient[i])
    // The Wolfe conditions promise positive curvature; rounding does not.
    if (product(step, change) > Number.EPSILON * product(change, change)) {
      steps.push(step)
      changes.push(change)
      if (steps.length > memory) {
        steps.shift()
        changes.shift()
      }
    }
    ;[x, trialX] = [trialX, x]
    ;[gradient, trialGradient] = [trialGradient, gradient]
    value = found.value
    norm = largest(gradient)
  }
  return { x, value, iterations, gradientNorm: norm, converged: norm <= tolerance }
}

/** The two-loop recursion (Nocedal and Wright, algorithm 7.4): minus the inverse Hessian times the gradient. */
function descend(
  gradient: Float64Array,
  steps: Float64Array[],
  changes: Float64Array[],
  direction: Float64Array,
  precondition?: Precondition,
): void {
  for (let i = 0; i < gradient.length; i++) direction[i] = -gradient[i]
  const last = steps.length - 1
  const shares: number[] = []
  for (let k = last; k >= 0; k--) {
    shares[k] = product(steps[k], direction) / product(steps[k], changes[k])
    add(direction, -shares[k], changes[k])
  }
  if (precondition) precondition(direction)
  else if (last >= 0) {
    const scale = product(steps[last], changes[last]) / product(changes[last], changes[last])
    for (let i = 0; i < direction.length; i++) direction[i] *= scale
  }
  for (let k = 0; k <= last; k++) {
    const back = product(changes[k], direction) / product(steps[k], changes[k])
    add(direction, shares[k] - back, steps[k])
  }
}

function product(a: Float64Array, b: Float64Array): number {
  return dot(a, 0, b, 0, a.length)
}

function add(target: Float64Array, factor: number, vector: Float64Array): void {
  axpy(factor, vector, 0, target, 0, target.length)
}

/** NaN counts as infinitely large, so that it can never pass for converged. */
function largest(gradient: Float64Array): number {
  let max = 0
  for (const g of gradient) {
    if (Number.isNaN(g)) return Number.POSITIVE_INFINITY
    max = Math.max(max, Math.abs(g))
  }
  return max
}
