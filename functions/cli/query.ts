import { about, Fault } from "#shared/errors.ts"
import type { Pooled } from "#shared/features/features.ts"
import { readPooled } from "#shared/features/keep.ts"
import { type Candidate, discover } from "#shared/volume/discover.ts"
import { seriesId } from "#shared/volume/series-id.ts"
import { compute } from "../jobs/embed.ts"
import type { JobPorts } from "../ports.ts"
import type { Output } from "./output.ts"

/** Hands the one series under a path to `use`. @throws Fault `several-series` when there are more */
export async function withOneSeries<T>(path: string, use: (candidate: Candidate) => Promise<T>): Promise<T> {
  const found = await discover(path)
  try {
    if (found.candidates.length > 1) {
      const names = found.candidates.map((c) => c.source)
      throw new Fault(
        "invalid",
        "several-series",
        `${path} holds ${names.length} series: name one of them (${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""})`,
      )
    }
    return await use(found.candidates[0])
  } catch (thrown) {
    throw thrown instanceof Fault ? about(path, thrown) : thrown
  } finally {
    await found.close()
  }
}

/** The pooled features of the series at a path: those kept in the store, or else computed now and not kept. */
export function pooledOfPath(path: string, encoderId: string, ports: JobPorts, out: Output): Promise<Pooled> {
  return withOneSeries(path, async (candidate) => {
    out.progress(`reading ${path}`)
    const read = await candidate.read()
    const series = seriesId(read.volume)
    const kept = await readPooled(ports.objects, encoderId, series)
    if (kept) return kept
    out.progress(`encoding ${path}`)
    return compute(series, read, await ports.encoder(encoderId))
  })
}
