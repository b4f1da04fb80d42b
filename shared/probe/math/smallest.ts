/** The smallest of the values offered so far, ascending, each with its row; of equal ones those offered first. */
export interface Smallest {
  values: Float64Array
  rows: Uint32Array
  offer: (value: number, row: number) => void
}

/** Keeps `count` values; places that nothing was offered for hold infinity. */
export function smallest(count: number): Smallest {
  const values = new Float64Array(count).fill(Number.POSITIVE_INFINITY)
  const rows = new Uint32Array(count)
  const offer = (value: number, row: number) => {
    let i = count - 1
    if (!(value < values[i])) return
    for (; i > 0 && values[i - 1] > value; i--) {
      values[i] = values[i - 1]
      rows[i] = rows[i - 1]
    }
    values[i] = value
    rows[i] = row
  }
  return { values, rows, offer }
}
