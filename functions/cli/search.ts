import { vectorOf } from "#shared/features/pool.ts"
import { SeriesId } from "#shared/ids.ts"
import { liveViews, withView } from "#shared/retrieval/live.ts"
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
  const { objects } = ports
  const request = { cohort: flags.cohort, k: flags.k, filter: flags.filter, exact: flags.exact ?? false }
  const answer = await withView(liveViews(objects), flags.cohort, async (view) => {
    if (SeriesId.safeParse(query).success)
      return search(objects, view, { ...request, query: { series: query } })
    const { encoder, pooling } = view.snapshot.manifest
    const pooled = await pooledOfPath(query, encoder, ports, out)
    const vector = [...vectorOf(pooled, pooling)]
    return search(objects, view, { ...request, query: { vector, except: pooled.receipt.series, encoder } })
  })
  out.result(answer, words)
}

const plans: Record<SearchAnswer["plan"], string> = {
  exact: "exact",
  "exact-filtered": "exact, filtered first",
  hnsw: "approximate (HNSW)",
}

function words(answer: SearchAnswer): string {
  const lines = answer.neighbors.map(({ id, score, source, metadata }, i) => {
    const columns = Object.entries(metadata).map(([name, value]) => `${name}=${value}`)
    return `${String(i + 1).padStart(3)}  ${score.toFixed(4)}  ${id}  ${source}  ${columns.join(" ")}`
  })
  const fresh = answer.fresh > 0 ? `, ${answer.fresh} of them newer than the snapshot` : ""
  const how = `${plans[answer.plan]}; ${answer.scanned} scanned${fresh}; ${answer.ms.toFixed(1)} ms`
  const short = answer.shortBy > 0 ? `; ${answer.shortBy} fewer than asked for` : ""
  const lacking = (answer.degraded ?? []).map((what) => `     degraded: ${what}`)
  return [
    ...lines,
    ...lacking,
    `     ${how}${short}; encoder ${answer.encoder}; snapshot ${answer.snapshot}`,
  ].join("\n")
}
