import { deletedSeries } from "#shared/cohort/deletions.ts"
import { vectorOf } from "#shared/features/pool.ts"
import { SeriesId } from "#shared/ids.ts"
import { openSnapshot } from "#shared/retrieval/open.ts"
import { type SearchAnswer, search } from "#shared/retrieval/search.ts"
import type { JobPorts } from "../ports.ts"
import type { Output } from "./output.ts"
import { pooledOfPath } from "./query.ts"

export interface SearchFlags {
  cohort: string
  k: number
  filter?: string
  exact?: boolean
}

/** Similar cases of one series of the store, or of a path that is encoded on the fly and not kept. */
export async function searchCommand(
  query: string,
  flags: SearchFlags,
  ports: JobPorts,
  out: Output,
): Promise<void> {
  const snapshot = await openSnapshot(ports.objects, flags.cohort)
  const request = { cohort: flags.cohort, k: flags.k, filter: flags.filter, exact: flags.exact ?? false }
  const deleted = await deletedSeries(ports.objects, flags.cohort)

  if (SeriesId.safeParse(query).success) {
    out.result(
      await search(ports.objects, snapshot, deleted, { ...request, query: { series: query } }),
      words,
    )
    return
  }
  const pooled = await pooledOfPath(query, snapshot.manifest.encoder, ports, out)
  const vector = [...vectorOf(pooled, snapshot.manifest.pooling)]
  const except = pooled.receipt.series
  out.result(await search(ports.objects, snapshot, deleted, { ...request, query: { vector, except } }), words)
}

function words(answer: SearchAnswer): string {
  const lines = answer.neighbors.map(({ id, score, source, metadata }, i) => {
    const columns = Object.entries(metadata).map(([name, value]) => `${name}=${value}`)
    return `${String(i + 1).padStart(3)}  ${score.toFixed(4)}  ${id}  ${source}  ${columns.join(" ")}`
  })
  const how = `${answer.plan}${answer.exact ? ", exact" : ""}; ${answer.scanned} scanned; ${answer.ms.toFixed(1)} ms`
  const short = answer.shortBy > 0 ? `; ${answer.shortBy} fewer than asked for pass` : ""
  return [...lines, `     ${how}${short}; encoder ${answer.encoder}; snapshot ${answer.snapshot}`].join("\n")
}
