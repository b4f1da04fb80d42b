import { prng, shuffle } from "../math/prng.ts"

export interface Split {
  folds: number
  /** The fold of each row, 0 to folds − 1. */
  fold: Uint8Array
}

export interface SplitOptions {
  /** At most this many folds; fewer when there are too few groups. */
  folds: number
  seed: number
  /** Strata that have to be learned from in every fold, as classes have: no more folds than the rarest has groups. */
  needed: ReadonlySet<number>
}

/**
 * Deals rows into folds: no group (a patient) in two folds, and each stratum (a class, or a part of the range of a
 * number) spread as evenly as the groups allow. `group` and `stratum` number each row from 0.
 * Takes as many folds as have what they need; undefined when not even two have.
 */
export function split(group: Uint32Array, stratum: Uint32Array, options: SplitOptions): Split | undefined {
  const groups = rowsByGroup(group)
  const most = fewestGroups(groups, stratum, options.needed)
  for (let folds = Math.min(options.folds, most); folds >= 2; folds--) {
    const dealt = deal(groups, stratum, folds, options.seed)
    if (inTwoFolds(dealt, stratum, options.needed)) return dealt
  }
  return undefined
}

function rowsByGroup(group: Uint32Array): number[][] {
  const rows: number[][] = []
  for (let row = 0; row < group.length; row++) {
    rows[group[row]] ??= []
    rows[group[row]].push(row)
  }
  return rows.filter((members) => members !== undefined)
}

/** Of the needed stratum that is found in the fewest groups, how many those are; all groups where none is needed. */
function fewestGroups(groups: number[][], stratum: Uint32Array, needed: ReadonlySet<number>): number {
  const count = new Map<number, number>()
  for (const rows of groups) {
    for (const s of new Set(rows.map((row) => stratum[row]))) count.set(s, (count.get(s) ?? 0) + 1)
  }
  return Math.min(groups.length, ...[...needed].map((s) => count.get(s) ?? 0))
}

/** Largest groups first, each into the fold that has least of what the group brings; at a tie the smallest fold. */
function deal(groups: number[][], stratum: Uint32Array, folds: number, seed: number): Split {
  const strata = stratum.reduce((max, s) => Math.max(max, s), 0) + 1
  const total = new Float64Array(strata)
  for (const s of stratum) total[s]++
  const count = new Float64Array(folds * strata)
  const size = new Float64Array(folds)
  const fold = new Uint8Array(stratum.length)

  const order = shuffle(groups.slice(), prng(seed)).sort((a, b) => b.length - a.length)
  for (const rows of order) {
    const brings = new Map<number, number>()
    for (const row of rows) brings.set(stratum[row], (brings.get(stratum[row]) ?? 0) + 1)
    let best = 0
    let least = Number.POSITIVE_INFINITY
    for (let f = 0; f < folds; f++) {
      // How much the sum over strata of squared shares in this fold would grow.
      let growth = 0
      for (const [s, n] of brings) growth += (n * (2 * count[f * strata + s] + n)) / total[s] ** 2
      if (growth < least || (growth === least && size[f] < size[best])) {
        best = f
        least = growth
      }
    }
    for (const [s, n] of brings) count[best * strata + s] += n
    size[best] += rows.length
    for (const row of rows) fold[row] = best
  }
  return { folds, fold }
}

/** A stratum that lies in one fold only is missing from the training rows of that fold. */
function inTwoFolds({ fold }: Split, stratum: Uint32Array, needed: ReadonlySet<number>): boolean {
  const first = new Map<number, number>()
  const inTwo = new Set<number>()
  for (let row = 0; row < stratum.length; row++) {
    const seen = first.get(stratum[row])
    if (seen === undefined) first.set(stratum[row], fold[row])
    else if (seen !== fold[row]) inTwo.add(stratum[row])
  }
  return [...needed].every((s) => inTwo.has(s))
}

/** The rows outside and inside one fold. */
export function rowsOf({ fold }: Split, held: number): { train: Uint32Array; test: Uint32Array } {
  const rows = Array.from(fold.keys())
  return {
    train: Uint32Array.from(rows.filter((row) => fold[row] !== held)),
    test: Uint32Array.from(rows.filter((row) => fold[row] === held)),
  }
}
