/** One point on the ray: how far along, the value there, and the slope along the ray. */
export interface Point {
  step: number
  value: number
  slope: number
}

// Nocedal and Wright, Numerical Optimization (2006), chapter 3: the constants for quasi-Newton directions.
const sufficientDecrease = 1e-4
const curvature = 0.9
const maxEvaluations = 40

/**
 * Finds a step that meets the strong Wolfe conditions (Nocedal and Wright, algorithms 3.5 and 3.6).
 * `at(step)` evaluates the ray; `start` is its value and (negative) slope at step 0.
 * Undefined when no step does: the values no longer differ beyond rounding, or are not finite.
 */
export function strongWolfe(at: (step: number) => Point, start: Point, firstStep: number): Point | undefined {
  // Near the minimum the true decrease drowns in the rounding of the value; this much is forgiven.
  const rounding = 4 * Number.EPSILON * Math.abs(start.value)
  const tooHigh = (p: Point) =>
    !(p.value <= start.value + sufficientDecrease * p.step * start.slope + rounding)
  const flat = (p: Point) => Math.abs(p.slope) <= -curvature * start.slope

  let before = start
  let step = firstStep
  for (let evaluations = 1; evaluations <= maxEvaluations; evaluations++) {
    const point = at(step)
    if (tooHigh(point) || (evaluations > 1 && point.value > before.value + rounding)) {
      return zoom(before, point, evaluations)
    }
    if (flat(point)) return point
    if (point.slope >= 0) return zoom(point, before, evaluations)
    before = point
    step *= 2
  }
  return undefined

  /** `low` is the best point so far; a good step lies between it and `high`. */
  function zoom(low: Point, high: Point, spent: number): Point | undefined {
    for (let evaluations = spent; evaluations < maxEvaluations; evaluations++) {
      const point = at(between(low, high))
      if (tooHigh(point) || point.value > low.value + rounding) {
        high = point
      } else {
        if (flat(point)) return point
        if (point.slope * (high.step - low.step) >= 0) high = low
        low = point
      }
    }
    return undefined
  }
}

/** The minimum of the cubic through both points, kept off the ends; the middle where there is none. */
function between(low: Point, high: Point): number {
  const width = high.step - low.step
  const middle = low.step + width / 2
  const d1 = low.slope + high.slope - (3 * (high.value - low.value)) / width
  const square = d1 * d1 - low.slope * high.slope
  if (!(square >= 0)) return middle
  const d2 = Math.sign(width) * Math.sqrt(square)
  const step = high.step - (width * (high.slope + d2 - d1)) / (high.slope - low.slope + 2 * d2)
  const share = (step - low.step) / width
  return share >= 0.1 && share <= 0.9 ? step : middle
}
