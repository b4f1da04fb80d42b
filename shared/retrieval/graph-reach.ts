/** Bytes before the first row of hnswlib's file, and where its header says how long a row is and where searches enter. */
const headerBytes = 96
const rowBytesAt = 24
const entryAt = 52

/**
 * How many rows of a checked graph no search can come to, however broad: nothing leads to them over the links of
 * level 0 from the entry point. The upper levels hold some of the same rows and lead nowhere else.
 */
export function unreachable(graph: Uint8Array, size: number): number {
  const view = new DataView(graph.buffer, graph.byteOffset, graph.byteLength)
  const rowBytes = Number(view.getBigUint64(rowBytesAt, true))
  const entry = view.getUint32(entryAt, true)
  const seen = new Uint8Array(size)
  const waiting = [entry]
  seen[entry] = 1
  let reached = 0
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    reached++
    const at = headerBytes + row * rowBytes
    const links = view.getUint16(at, true)
    for (let i = 0; i < links; i++) {
      const to = view.getUint32(at + 4 + 4 * i, true)
      if (seen[to]) continue
      seen[to] = 1
      waiting.push(to)
    }
  }
  return size - reached
}
