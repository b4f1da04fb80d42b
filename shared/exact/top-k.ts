/** One row found: its number in the index, and its score. */
export interface Found {
  row: number
  score: number
}

/** Better means a higher score, or the same score and a smaller row. */
export function byScore(a: Found, b: Found): number {
  return b.score - a.score || a.row - b.row
}

export interface TopK {
  offer(row: number, score: number): void
  /** The score that a row needs to be kept: the k-th best so far, -Infinity while there are fewer. */
  floor(): number
  best(): Found[]
}

/** Keeps the best `k` of the rows offered: a binary heap with the worst kept row on top. */
export function topK(k: number): TopK {
  const heap: Found[] = []

  function sink(start: number): void {
    const item = heap[start]
    let at = start
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && byScore(heap[child + 1], heap[child]) > 0) child++
      if (byScore(heap[child], item) <= 0) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = item
  }

  return {
    offer(row, score) {
      if (heap.length < k) {
        heap.push({ row, score })
        if (heap.length === k) for (let i = k >> 1; i >= 0; i--) sink(i)
      } else if (score > heap[0].score || (score === heap[0].score && row < heap[0].row)) {
        heap[0] = { row, score }
        sink(0)
      }
    },
    floor: () => (k > 0 && heap.length === k ? heap[0].score : Number.NEGATIVE_INFINITY),
    best: () => heap.toSorted(byScore),
  }
}
