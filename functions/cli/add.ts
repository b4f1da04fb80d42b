import { type Discovery, discover } from "#shared/volume/discover.ts"
import { type Lot, lotsOf } from "#shared/volume/lots.ts"
import { type Added, type EmbedInto, embed, encoderOf, rejection } from "../jobs/embed.ts"
import type { JobPorts } from "../ports.ts"
import { readTable } from "./metadata-table.ts"
import { bar, type Output } from "./output.ts"

export interface AddOptions {
  cohort: string
  metadata?: string
  /** True when the user chose the encoder by name. */
  explicitEncoder: boolean
}

export type Counts = Record<Added["status"], number>

/** Adds every series under the paths to a cohort, one line each. */
export async function add(
  paths: string[],
  options: AddOptions,
  ports: JobPorts,
  out: Output,
): Promise<Counts> {
  const table = options.metadata === undefined ? undefined : await readTable(options.metadata)
  const encoder = await encoderOf(options.cohort, options.explicitEncoder, ports)
  if (encoder.card.status === "untrained") {
    out.remark(
      `encoder ${encoder.id} is untrained: its features tell scans apart, but carry no clinical meaning`,
    )
  }
  const into: EmbedInto = {
    cohort: options.cohort,
    encoder,
    metadata: (source, series) => table?.take(source, series) ?? {},
  }
  const counts: Counts = { embedded: 0, already: 0, rejected: 0 }
  const lots = await lotsOf(paths)
  for (const [i, lot] of lots.entries()) {
    // Of many paths it is told how many are done, of a single one how many of its series.
    const show = (text: string, done: number, total: number) =>
      out.progress(lots.length > 1 ? bar(i, lots.length, text) : bar(done, total, text))
    for await (const added of addLot(lot, into, ports, { out, show })) {
      counts[added.status]++
      out.result(added, words)
    }
  }
  const unused = table?.unused() ?? []
  if (unused.length > 0)
    out.remark(`${unused.length} rows of ${options.metadata} match no series added now: ${some(unused, 5)}`)
  out.remark(`${counts.embedded} embedded, ${counts.already} embedded before, ${counts.rejected} rejected`)
  return counts
}

async function* addLot(
  lot: Lot,
  into: EmbedInto,
  ports: JobPorts,
  { out, show }: { out: Output; show(text: string, done: number, total: number): void },
): AsyncGenerator<Added> {
  let found: Discovery
  show(`looking through ${lot.as}`, 0, 0)
  try {
    found = await discover(lot)
  } catch (thrown) {
    yield rejection(lot.as, thrown)
    return
  }
  try {
    for (const { file, message, code } of found.setAside)
      out.remark(`set aside ${file}: ${message} [${code}]`)
    const { candidates } = found
    for (const [i, candidate] of candidates.entries()) {
      show(candidate.source, i, candidates.length)
      yield await embed(candidate, into, ports)
    }
  } finally {
    await found.close()
  }
}

function words({ status, series, source, code, message }: Added): string {
  if (status === "rejected") return `rejected  ${message} [${code}]`
  return `${status.padEnd(8)}  ${series}  ${source}`
}

function some(names: string[], most: number): string {
  return `${names.slice(0, most).join(", ")}${names.length > most ? ", …" : ""}`
}
