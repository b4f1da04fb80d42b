import { readFile } from "node:fs/promises"
import { normalize } from "node:path"
import { readMetadataCsv } from "#shared/cohort/metadata-csv.ts"
import { Fault, reason } from "#shared/errors.ts"
import { type Discovery, discover } from "#shared/volume/discover.ts"
import { lotsOf } from "#shared/volume/lots.ts"
import { type Added, embed, encoderOf, rejection } from "../jobs/embed.ts"
import type { JobPorts } from "../ports.ts"
import { bar, type Output } from "./output.ts"

export interface AddOptions {
  cohort: string
  metadata?: string
  /** True when the user chose the encoder by name. */
  explicitEncoder: boolean
}

/** Adds every series under the paths to a cohort, one line each; returns the exit code, 1 if any was rejected. */
export async function add(
  paths: string[],
  options: AddOptions,
  ports: JobPorts,
  out: Output,
): Promise<number> {
  const table = options.metadata === undefined ? undefined : await readTable(options.metadata)
  const encoder = await encoderOf(options.cohort, options.explicitEncoder, ports)
  if (encoder.card.status === "untrained") {
    out.remark(
      `encoder ${encoder.id} is untrained: its features tell scans apart, but carry no clinical meaning`,
    )
  }
  const counts = { embedded: 0, already: 0, rejected: 0 }
  const report = (added: Added) => {
    counts[added.status]++
    out.result(added, words)
  }

  for (const lot of await lotsOf(paths)) {
    let found: Discovery
    try {
      out.progress(`looking through ${lot.as}`)
      found = await discover(lot)
    } catch (thrown) {
      report(rejection(lot.as, thrown))
      continue
    }
    try {
      for (const verdict of found.setAside)
        out.remark(`set aside ${verdict.file}: ${verdict.message} [${verdict.code}]`)
      for (const [i, candidate] of found.candidates.entries()) {
        out.progress(bar(i, found.candidates.length, candidate.source))
        const metadata = (source: string, series: string) => table?.take(normalize(source), series) ?? {}
        report(await embed(candidate, { cohort: options.cohort, encoder, metadata }, ports))
      }
    } finally {
      await found.close()
    }
  }

  const unused = table?.unused() ?? []
  if (unused.length > 0) {
    out.remark(
      `${unused.length} rows of ${options.metadata} match no series added now: ${unused.slice(0, 5).join(", ")}${unused.length > 5 ? ", …" : ""}`,
    )
  }
  if (!out.json) {
    out.remark(`${counts.embedded} embedded, ${counts.already} already there, ${counts.rejected} rejected`)
    out.remark(`next: voxkin publish ${options.cohort}`)
  }
  return counts.rejected > 0 ? 1 : 0
}

function words({ status, series, source, code, message }: Added): string {
  if (status === "rejected") return `rejected  ${message} [${code}]`
  return `${status.padEnd(8)}  ${series}  ${source}`
}

/** The rows of a metadata file, by source or series; remembers which were asked for. */
async function readTable(file: string) {
  let text: string
  try {
    text = await readFile(file, "utf8")
  } catch (cause) {
    throw new Fault(
      "invalid",
      "no-metadata-file",
      `cannot read the metadata file ${file}: ${reason(cause)}`,
      { cause },
    )
  }
  const { key, rows } = readMetadataCsv(text)
  const byKey = new Map([...rows].map(([name, row]) => [key === "source" ? normalize(name) : name, row]))
  const used = new Set<string>()
  return {
    take(source: string, series: string) {
      const name = key === "source" ? source : series
      used.add(name)
      return byKey.get(name)
    },
    unused: () => [...byKey.keys()].filter((name) => !used.has(name)),
  }
}
