/** Which series each row of a snapshot is, and where it came from. Rows are in the order of their series' ids. */
export interface Rows {
  count: number
  series(row: number): string
  source(row: number): string
  /** The row of a series; undefined for one that is not there. */
  of(series: string): number | undefined
  all(): string[]
}

const idBytes = 16

/**
 * `rows.bin`: the ids' 32 digits as 16 bytes each, ascending; count + 1 offsets into what follows, as little-endian u32;
 * then the sources, UTF-8. As it is published it is looked at: names of a million series would take a second to parse.
 */
export function rowsPart({
  series,
  source,
}: {
  series: readonly string[]
  source: readonly string[]
}): Uint8Array<ArrayBuffer> {
  const names = source.map((name) => new TextEncoder().encode(name))
  const text = idBytes * series.length + 4 * (series.length + 1)
  const bytes = new Uint8Array(text + names.reduce((sum, { length }) => sum + length, 0))
  const offsets = new Uint32Array(bytes.buffer, idBytes * series.length, series.length + 1)
  for (const [row, id] of series.entries()) {
    if (row > 0 && series[row - 1] >= id) throw new RangeError(`rows ${row - 1} and ${row} are not in order`)
    bytes.set(Buffer.from(id.slice("s-".length), "hex"), idBytes * row)
    bytes.set(names[row], text + offsets[row])
    offsets[row + 1] = offsets[row] + names[row].length
  }
  return bytes
}

/** @throws RangeError unless the bytes are `count` rows */
export function openRows(bytes: Uint8Array<ArrayBuffer>, count: number): Rows {
  const text = idBytes * count + 4 * (count + 1)
  if (bytes.length < text) throw new RangeError(`${bytes.length} bytes are not ${count} rows`)
  const ids = Buffer.from(bytes.buffer, bytes.byteOffset, idBytes * count)
  const offsets = new Uint32Array(
    bytes.buffer.slice(bytes.byteOffset + idBytes * count, bytes.byteOffset + text),
  )
  const sources = Buffer.from(bytes.buffer, bytes.byteOffset + text, bytes.length - text)
  if (offsets[count] !== sources.length) throw new RangeError("the sources are of another length than listed")
  const series = (row: number) => `s-${ids.toString("hex", idBytes * row, idBytes * (row + 1))}`
  return {
    count,
    series,
    source: (row) => sources.toString("utf8", offsets[row], offsets[row + 1]),
    of(wanted) {
      const id = Buffer.from(wanted.slice("s-".length), "hex")
      let [low, high] = [0, count]
      while (low < high) {
        const middle = (low + high) >> 1
        if (id.compare(ids, idBytes * middle, idBytes * (middle + 1)) > 0) low = middle + 1
        else high = middle
      }
      return low < count && series(low) === wanted ? low : undefined
    },
    all: () => Array.from({ length: count }, (_, row) => series(row)),
  }
}
