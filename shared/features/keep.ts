import { Fault } from "#shared/errors.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { corrupt, decodeFeatures, decodePooled, encodeFeatures, pooledEnd } from "./encode.ts"
import type { Features, Pooled, Receipt } from "./features.ts"

/** Bytes read at first for the pooled features: a receipt of a few kilobytes and two vectors fit well. */
const firstRead = 16_384

/**
 * Keeps the features of a series, once: existence means done. "already" when another has written them meanwhile.
 * @throws Fault `non-finite-features`
 */
export async function keepFeatures(
  objects: ObjectStore,
  features: Features,
): Promise<"embedded" | "already"> {
  const { encoder, series } = features.receipt
  try {
    await objects.put(keys.features(encoder.id, series), encodeFeatures(features), { ifAbsent: true })
    return "embedded"
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === "precondition-failed") return "already"
    throw thrown
  }
}

/**
 * The pooled features of a series by range reads of the file's head; undefined when there are none.
 * @throws Fault `corrupt-features`, `wrong-encoder`, `wrong-series`
 */
export async function readPooled(
  objects: ObjectStore,
  encoderId: string,
  series: string,
): Promise<Pooled | undefined> {
  const key = keys.features(encoderId, series)
  let end = firstRead
  while (true) {
    const head = await objects.get(key, { start: 0, end })
    if (!head) return undefined
    const needed = pooledEnd(head.bytes, key)
    if (needed <= head.bytes.length) return belonging(decodePooled(head.bytes, key), key, encoderId, series)
    if (head.bytes.length < end) throw corrupt(key)("it ends before its patches")
    end = needed
  }
}

/**
 * All features of a series, patches included; undefined when there are none.
 * @throws Fault `corrupt-features`, `wrong-encoder`, `wrong-series`
 */
export async function readFeatures(
  objects: ObjectStore,
  encoderId: string,
  series: string,
): Promise<Features | undefined> {
  const key = keys.features(encoderId, series)
  const object = await objects.get(key)
  return object && belonging(decodeFeatures(object.bytes, key), key, encoderId, series)
}

/** A file that was copied or renamed must not pass for another's. */
function belonging<T extends { receipt: Receipt }>(
  found: T,
  key: string,
  encoderId: string,
  series: string,
): T {
  const { receipt } = found
  if (receipt.encoder.id === encoderId && receipt.series === series) return found
  const [code, is, not] =
    receipt.encoder.id === encoderId
      ? ["wrong-series", receipt.series, series]
      : ["wrong-encoder", receipt.encoder.id, encoderId]
  throw new Fault(
    "conflict",
    code,
    `${key} holds features of ${is}, not of ${not}: delete it and add the series again`,
  )
}
