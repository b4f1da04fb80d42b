import { readFile } from "node:fs/promises"
import { normalize } from "node:path"
import type { Scalars } from "#shared/cohort/members.ts"
import { readMetadataCsv } from "#shared/cohort/metadata-csv.ts"
import { Fault, reason } from "#shared/errors.ts"

/** The rows of a metadata file, by source or series; it remembers which were asked for. */
export interface MetadataTable {
  take(source: string, series: string): Scalars | undefined
  /** Sources or series of the rows that nothing asked for. */
  unused(): string[]
}

/** `./a/` and `a` are one path. */
const plain = (path: string) => normalize(path).replace(/(?<=.)\/+$/, "")

/** @throws Fault `no-metadata-file`, `bad-metadata-csv` */
export async function readTable(file: string): Promise<MetadataTable> {
  const { key, rows } = readMetadataCsv(await textOf(file))
  const nameOf = key === "source" ? plain : (series: string) => series
  const byName = new Map<string, Scalars>()
  for (const [name, row] of rows) {
    if (byName.has(nameOf(name)))
      throw bad(`${file} has two rows for ${nameOf(name)}, written in two ways: keep one of them`)
    byName.set(nameOf(name), row)
  }
  const used = new Set<string>()
  return {
    take(source, series) {
      const name = key === "source" ? plain(source) : series
      used.add(name)
      return byName.get(name)
    },
    unused: () => [...byName.keys()].filter((name) => !used.has(name)),
  }
}

async function textOf(file: string): Promise<string> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (cause) {
    const message = `cannot read the metadata file ${file}: ${reason(cause)}`
    throw new Fault("invalid", "no-metadata-file", message, { cause })
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch (cause) {
    // Spreadsheets of other times write Latin-1 or UTF-16, whose names would be mangled without a word.
    throw bad(`${file} is not UTF-8: save it as "CSV UTF-8"`, cause)
  }
}

function bad(message: string, cause?: unknown): Fault {
  return new Fault("invalid", "bad-metadata-csv", message, { cause })
}
