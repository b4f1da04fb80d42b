import { type OpenProbe, probeCache } from "#shared/probe/versions/cache.ts"
import type { ObjectStore } from "#shared/store/store.ts"

/** One cache of opened probes for each store: it outlives the requests. */
const caches = new WeakMap<ObjectStore, OpenProbe>()

export function openerOf(objects: ObjectStore): OpenProbe {
  const open = caches.get(objects) ?? probeCache(objects)
  caches.set(objects, open)
  return open
}
