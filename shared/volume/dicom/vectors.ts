/** Vectors of three, in LPS mm or unit length. */
export function dot(a: readonly number[], b: readonly number[]): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

export function cross(a: readonly number[], b: readonly number[]): number[] {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

export function minus(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value - b[i])
}

export function times(a: readonly number[], factor: number): number[] {
  return a.map((value) => value * factor)
}

export function unit(a: readonly number[]): number[] {
  return times(a, 1 / Math.hypot(...a))
}

/** Of any number of values: Math.max takes its arguments from the stack, which a hundred thousand exhaust. */
export function largest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
}

export function smallest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
}
