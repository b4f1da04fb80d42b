import type { Features } from "#shared/features/features.ts"
import { type LinearHead, scoresOf } from "../head/linear.ts"
import type { ProbePooling } from "../record.ts"
import { headInputs } from "../study/inputs.ts"

/** The terms of a linear head's score, before link and calibration: score = intercept + cls + Σ patches. */
export interface Terms {
  /** As the head makes it of the pooled features. */
  score: number
  intercept: number
  /** What the CLS token adds; null for a head that does not read it. */
  cls: number | null
  /** What each patch adds, [gz · gy · gx] in C order. */
  patches: Float64Array
}

/**
 * Takes the score of one output of a head apart. A head reads x, standardised: Σ_c w_c (x_c − mean_c) / scale_c. Where x is
 * the mean over P patch tokens, each of them adds (1/P) Σ_c w_c (x_pc − mean_c) / scale_c: 0 for a token like the mean of
 * the training series.
 * @param features with their patches as the encoder gave them: those that are kept are rounded to float16
 * @param pooling one that reads the mean
 */
export function termsOf(
  head: LinearHead,
  features: Features,
  pooling: Exclude<ProbePooling, "cls">,
  output = 0,
): Terms {
  const { cls, patches } = features
  const dim = cls.length
  const count = patches.length / dim
  const [score, intercept] = [scoresOf(head, headInputs(features, pooling))[output], head.intercept[output]]
  const columns = head.mean.length
  /** Of a token whose first number is column `from` of the head. */
  const add = (tokens: Float32Array, token: number, from: number): number => {
    let sum = 0
    for (let d = 0, c = from; d < dim; d++, c++)
      sum += (head.weights[output * columns + c] * (tokens[token * dim + d] - head.mean[c])) / head.scale[c]
    return sum
  }
  const meanFrom = pooling === "both" ? dim : 0
  return {
    score,
    intercept,
    cls: pooling === "both" ? add(cls, 0, 0) : null,
    patches: Float64Array.from({ length: count }, (_, p) => add(patches, p, meanFrom) / count),
  }
}

/** The terms of the opposite answer of two. */
export function negated({ score, intercept, cls, patches }: Terms): Terms {
  return {
    score: -score,
    intercept: -intercept,
    cls: cls === null ? null : -cls,
    patches: patches.map((p) => -p),
  }
}
