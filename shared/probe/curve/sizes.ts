import { Fault } from "#shared/errors.ts"
import type { Note } from "../record.ts"

/** Of the numbers of patients asked for, those that can be drawn: from `least` to fewer than `all`. */
export interface Sizes {
  sizes: number[]
  notes: Note[]
}

/** 1, 2, 5, 10, … where none are asked for. @throws Fault `invalid` / `bad-sizes` when none asked for can be drawn */
export function sizesOf(asked: number[] | undefined, least: number, all: number): Sizes {
  const possible = (size: number) => size >= least && size < all
  if (!asked) return { sizes: oneTwoFive(all).filter(possible), notes: [] }
  const sizes = [...new Set(asked)].sort((a, b) => a - b)
  const left = sizes.filter((size) => !possible(size))
  if (left.length === sizes.length) {
    throw new Fault(
      "invalid",
      "bad-sizes",
      `none of the sizes ${sizes.join(", ")} can be drawn: a fold has ${all} patients to learn from, and at least ${least} ` +
        "are needed",
    )
  }
  if (left.length === 0) return { sizes, notes: [] }
  const message = `sizes ${left.join(", ")} are left out: a fold has ${all} patients to learn from, and at least ${least} are needed`
  return { sizes: sizes.filter(possible), notes: [{ code: "sizes-left-out", message }] }
}

/** Up to a number; equally far apart on a logarithmic axis, nearly. */
function oneTwoFive(most: number): number[] {
  const powers = Array.from({ length: Math.ceil(Math.log10(most + 1)) }, (_, k) => 10 ** k)
  return powers.flatMap((power) => [power, 2 * power, 5 * power])
}
