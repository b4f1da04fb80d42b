import type { ObjectStore } from "#shared/store/store.ts"
import { openProbe, type Probe, prepared } from "../predict.ts"
import { currentVersion } from "./pointer.ts"

/** Opens a version of a probe, the current one when none is named. @throws the Faults of `openProbe` */
export type OpenProbe = (name: string, version?: string) => Promise<Probe>

interface Entry {
  opening: Promise<Probe>
  /** Of its head, once that is open. */
  bytes: number
}

/**
 * Keeps opened versions of probes in memory, the latest used, up to about `mostBytes` of heads; the last one asked for
 * stays however large it is. A version never changes, so its weights are checked when it is opened and not again; the
 * pointer is read at every call, so a version promoted by any process answers the next one.
 */
export function probeCache(
  objects: ObjectStore,
  { mostBytes = 256 * 2 ** 20 }: { mostBytes?: number } = {},
): OpenProbe {
  const entries = new Map<string, Entry>()

  function fit() {
    let bytes = [...entries.values()].reduce((sum, entry) => sum + entry.bytes, 0)
    for (const [key, entry] of entries) {
      if (bytes <= mostBytes || entries.size === 1) return
      entries.delete(key)
      bytes -= entry.bytes
    }
  }

  return async (name, version) => {
    const asked = version ?? (await currentVersion(objects, name))
    if (asked === undefined) return openProbe(objects, name)
    const key = `${name}/${asked}`
    const entry = entries.get(key) ?? { opening: openProbe(objects, name, asked).then(prepared), bytes: 0 }
    entries.delete(key)
    entries.set(key, entry)
    try {
      const probe = await entry.opening
      entry.bytes ||= bytesOf(probe.head)
      fit()
      return probe
    } catch (thrown) {
      if (entries.get(key) === entry) entries.delete(key)
      // Of a pointer that names what is not there, the fault is another than of a version that a caller named.
      return version === undefined ? openProbe(objects, name) : Promise.reject(thrown)
    }
  }
}

/** About what plain data takes in memory: its arrays of numbers in full. */
function bytesOf(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength
  if (value === null || typeof value !== "object") return 8
  return Object.values(value).reduce<number>((sum, inner) => sum + bytesOf(inner), 0)
}
