interface Rows {
  values: Float32Array
  rows: number
  columns: number
}

/** Points at a time, whose products with two queries fit the registers. */
const panel = 4

/** The dot product of every query with every point, [queries, points]. Meant for few queries and many points. */
export function productsOf(queries: Rows, points: Rows): Float64Array {
  const { columns } = points
  const products = new Float64Array(queries.rows * points.rows)
  // Numbers are turned to float64 once for all products that they go into.
  const q = Float64Array.from(queries.values)
  const p = new Float64Array(panel * columns)
  for (let point = 0; point < points.rows; point += panel) {
    // Past the last point there are others' numbers, or zeros, whose products are not kept.
    p.set(points.values.subarray(point * columns, Math.min(point + panel, points.rows) * columns))
    for (let query = 0; query < queries.rows; query += 2) {
      addTile(products, q, p, queries.rows, points.rows, columns, query, point)
    }
  }
  return products
}

function addTile(
  products: Float64Array,
  q: Float64Array,
  p: Float64Array,
  queries: number,
  points: number,
  columns: number,
  query: number,
  point: number,
): void {
  const a0 = query * columns
  const a1 = Math.min(query + 1, queries - 1) * columns
  let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0]
  for (let c = 0; c < columns; c++) {
    const x0 = q[a0 + c]
    const x1 = q[a1 + c]
    const y0 = p[c]
    const y1 = p[columns + c]
    const y2 = p[2 * columns + c]
    const y3 = p[3 * columns + c]
    s00 += x0 * y0
    s01 += x0 * y1
    s02 += x0 * y2
    s03 += x0 * y3
    s10 += x1 * y0
    s11 += x1 * y1
    s12 += x1 * y2
    s13 += x1 * y3
  }
  const kept = Math.min(panel, points - point)
  products.set([s00, s01, s02, s03].slice(0, kept), query * points + point)
  if (query + 1 < queries) products.set([s10, s11, s12, s13].slice(0, kept), (query + 1) * points + point)
}
