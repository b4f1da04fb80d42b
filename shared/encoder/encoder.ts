import type { Input } from "#shared/preprocess/input.ts"
import type { Recipe } from "#shared/preprocess/recipe.ts"
import type { Triple } from "#shared/volume/affine.ts"

/** What the network returned for one input, after its final norm. */
export interface Tokens {
  /** [dim] */
  cls: Float32Array
  /** [gz, gy, gx, dim], C order */
  patches: Float32Array
  grid: Triple
}

/** A frozen network under its recipe. */
export interface Encoder {
  /** Name and digest of weights and recipe: `untrained-0123456789ab`. */
  id: string
  recipe: Recipe
  dim: number
  /** Never blocks the event loop. @throws Fault `unavailable` when the runtime fails or is closed */
  encode(input: Input): Promise<Tokens>
  close(): Promise<void>
}
