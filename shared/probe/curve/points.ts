import type { Choice, Method } from "../measure/learn.ts"
import { values } from "../measure/score.ts"
import type { Workers } from "../measure/threads.ts"
import type { Study } from "../study/rows.ts"
import { rowsOf, type Split } from "../study/split.ts"
import type { CurvePoint } from "./record.ts"
import { drawOrder, firstOf } from "./subsets.ts"

export interface PointsOptions {
  dealt: Split
  /** Numbers of patients, each below what any fold has to learn from. */
  sizes: number[]
  repeats: number
  method: Method
  seed: number
  workers: Workers
  onTrial?: (done: number, total: number) => void
}

/** One way to cut the training part of every fold. */
interface Draw {
  /** The training rows of each fold that are left. */
  train: Uint32Array[]
  patients: number
}

/**
 * A point for each size, and one for all: in every fold the training part is cut to so many patients, a head learns
 * from what is left, choosing what it has to choose in there, and tells all of the fold's rows; the predictions of all
 * folds are scored together. The smaller cut of a draw lies within the larger one; the rows that are tested are the same
 * throughout, and so is the last point with the probe's own evaluation.
 */
export async function curvePoints(
  study: Study,
  options: PointsOptions,
): Promise<{ points: CurvePoint[]; choices: Choice[] }> {
  const { dealt, sizes, repeats, seed } = options
  const parts = Array.from({ length: dealt.folds }, (_, fold) => rowsOf(dealt, fold))
  const orders = Array.from({ length: repeats }, (_, repeat) =>
    parts.map(({ train }, fold) => drawOrder(study, train, seed + 1000 * (repeat + 1) + fold)),
  )
  const cut = sizes.map((patients): Draw[] =>
    orders.map((folds) => ({ train: folds.map((order) => firstOf(order, patients)), patients })),
  )
  const counts = parts.map(({ train }) => new Set(Array.from(train, (row) => study.group[row])).size)
  const all: Draw = { train: parts.map(({ train }) => train), patients: Math.round(mean(counts)) }

  const draws = [...cut, [all]]
  const total = draws.flat().length * dealt.folds
  let done = 0
  const results = await Promise.all(
    draws.map((of) =>
      Promise.all(of.map(({ train }) => judge(train, () => options.onTrial?.(++done, total)))),
    ),
  )
  return {
    points: results.map((of, i) => point(draws[i], of)),
    choices: results.flat().flatMap(({ choices }) => choices),
  }

  async function judge(train: Uint32Array[], onTrial: () => void) {
    const { method, workers } = options
    const width = study.outputs
    const outOfFold = new Float64Array(study.table.rows * width)
    const choices = await Promise.all(
      parts.map(async ({ test }, fold) => {
        const trial = { study, train: train[fold], test, method, seed: seed + 1 + fold }
        const { outputs, choice } = await workers.heldOut(trial)
        for (const [i, row] of test.entries())
          outOfFold.set(outputs.subarray(i * width, (i + 1) * width), row * width)
        onTrial()
        return choice
      }),
    )
    return { metrics: values(study, outOfFold), choices }
  }
}

function point(draws: Draw[], of: { metrics: { name: string; value: number }[] }[]): CurvePoint {
  const metrics = of[0].metrics.map(({ name }, m) => {
    const found = of.map(({ metrics }) => metrics[m].value)
    return { name, mean: mean(found), least: Math.min(...found), greatest: Math.max(...found) }
  })
  const series = mean(draws.flatMap(({ train }) => train.map((rows) => rows.length)))
  return { patients: draws[0].patients, series, draws: draws.length, metrics }
}

function mean(numbers: number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0) / numbers.length
}
