/** Maps in order with at most `limit` calls under way: a hundred thousand open files or requests at once would fail. */
export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  each: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length)
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const i = next++
      results[i] = await each(items[i])
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  } finally {
    // After a failure the other workers stop at their current item.
    next = items.length
  }
  return results
}

/** Calls to the store under way at once: S3 and disks both gain little beyond it. */
export const storeConcurrency = 32
