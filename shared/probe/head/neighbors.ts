import { type Coded, coded, nearestCoded, nearestOfEach } from "../math/coded.ts"
import { type Nearest, nearest, type Points } from "../math/nearest.ts"
import { type Scaling, spreadOf, type Table } from "./design.ts"
import { type Known, knownOf } from "./known.ts"
import type { Problem } from "./problem.ts"

/**
 * k nearest neighbors: nothing is fitted, the training rows are kept. Distances are Euclidean on standardised columns
 * and neighbors weigh 1 / distance, as in VoxelFM's evaluation (arXiv 2604.04133): scikit-learn's `StandardScaler`, then
 * `KNeighborsClassifier(weights="distance")`, except that a column which is constant over the training rows counts for
 * nothing, however far from it a query lies. Of equally near rows the first in the file comes first.
 */
export interface NeighborHead extends Scaling {
  kind: "knn"
  /** How many neighbors answer. */
  count: number
  /** The training rows, standardised and rounded to float32, [rows, columns]: what the file keeps is what was tested. */
  points: Float32Array
  known: Known
  /** The id of each row; none until the head is to be kept, since rows that are tested are never among these. */
  series: string[]
  /** Of a head that is to answer often: what makes its search quick. In no file, and of this process alone. */
  coded?: Coded
}

/** Keeps the given rows, and nothing of any other. Fewer than `count` are all of them neighbors. */
export function neighborHead(problem: Problem, rows: Uint32Array, count: number): NeighborHead {
  const { mean, deviation } = spreadOf(problem.table, rows)
  const scaling = { mean: mean.map(Math.fround), scale: deviation.map(Math.fround) }
  return {
    kind: "knn",
    count: Math.min(count, rows.length),
    ...scaling,
    points: standardised(problem.table, rows, scaling),
    known: knownOf(problem, rows),
    series: [],
  }
}

/** The head, ready for one question after another. Its answers are the same. */
export async function ready(head: NeighborHead): Promise<NeighborHead> {
  return { ...head, coded: await coded(pointsOf(head)) }
}

/**
 * The neighbors of a row of numbers, nearest first.
 * @param self the series that is asked about: where it is one of the training series it is left out, since its own label
 * is no evidence. Other series of the same patient stay.
 */
export function neighborsOf(head: NeighborHead, x: Float32Array, self?: string): Nearest {
  const query = standardised({ values: x, rows: 1, columns: x.length }, Uint32Array.of(0), head)
  const count = self === undefined ? head.count : head.count + 1
  const found = head.coded ? nearestCoded(head.coded, query, count) : nearest(pointsOf(head), query, count)
  const isOther = (i: number) => self === undefined || head.series[found.rows[i]] !== self
  const others = [...found.rows.keys()].filter(isOther).slice(0, head.count)
  return {
    rows: Uint32Array.from(others, (i) => found.rows[i]),
    distances: Float64Array.from(others, (i) => found.distances[i]),
  }
}

/** The neighbors of each of some rows of a table, which are not the head's own, as `neighborsOf` finds them. */
export function neighborsOfEach(head: NeighborHead, table: Table, rows: Uint32Array): Nearest[] {
  const values = standardised(table, rows, head)
  const queries = { values, rows: rows.length, columns: table.columns }
  return nearestOfEach(pointsOf(head), queries, head.count, head.coded)
}

function pointsOf({ points, mean }: NeighborHead): Points {
  const columns = mean.length
  return { values: points, rows: points.length / columns, columns }
}

/** The largest float32: a query that lies beyond, in standard deviations, is as far away as can be told. */
const farthest = (2 - 2 ** -23) * 2 ** 127

/** The given rows, (v − mean) / scale, and 0 where the scale is 0: [rows, columns] */
function standardised({ values, columns }: Table, rows: Uint32Array, { mean, scale }: Scaling): Float32Array {
  const z = new Float32Array(rows.length * columns)
  for (let r = 0; r < rows.length; r++) {
    const from = rows[r] * columns
    for (let c = 0; c < columns; c++) {
      if (scale[c] === 0) continue
      const value = (values[from + c] - mean[c]) / scale[c]
      z[r * columns + c] = Math.max(-farthest, Math.min(farthest, value))
    }
  }
  return z
}
