import { needed, type Study } from "../study/rows.ts"
import { rowsOf, split } from "../study/split.ts"

const innerFolds = 3

/**
 * Folds by patient inside `rows`, to choose something by: the rows outside never have a say. Each fold's `train` and
 * `test` are places in `rows`. Undefined when `rows` cannot be split.
 */
export function foldsWithin(
  study: Study,
  rows: Uint32Array,
  seed: number,
): { train: Uint32Array; test: Uint32Array }[] | undefined {
  const at = (of: Uint32Array) => Uint32Array.from(rows, (row) => of[row])
  const stratum = at(study.stratum)
  const inner = split(at(study.group), stratum, {
    folds: innerFolds,
    seed,
    needed: needed(study.kind, stratum),
  })
  return inner && Array.from({ length: inner.folds }, (_, fold) => rowsOf(inner, fold))
}
