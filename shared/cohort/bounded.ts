import { Fault } from "#shared/errors.ts"

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

/**
 * Reads the items of a list, without those that are not there. With `onDamaged`, an item whose stored object is
 * damaged is told to it and left out, so that it does not hide the rest; without, its Fault is thrown.
 */
export async function readList<T, R>(
  items: readonly T[],
  read: (item: T) => Promise<R | undefined>,
  onDamaged?: OnDamaged,
): Promise<R[]> {
  const found = await mapBounded(items, storeConcurrency, async (item) => {
    try {
      return await read(item)
    } catch (thrown) {
      if (!onDamaged || !isUnreadable(thrown)) throw thrown
      onDamaged(thrown)
      return undefined
    }
  })
  return found.filter((item) => item !== undefined)
}

/** Whether a stored object was found damaged, or of a format that is no longer read, or not yet. */
export function isUnreadable(thrown: unknown): thrown is Fault {
  return thrown instanceof Fault && /^(corrupt|old|newer)-/.test(thrown.code)
}

export type OnDamaged = (fault: Fault) => void

/** Calls to the store under way at once: S3 and disks both gain little beyond it. */
export const storeConcurrency = 32
