import { normalize } from "node:path/posix"
import { Fault } from "#shared/errors.ts"
import type { Scalars } from "./members.ts"
import { readMetadataCsv } from "./metadata-csv.ts"

/** The rows of a metadata file, by source or series; it remembers which were asked for. */
export interface MetadataTable {
  take(source: string, series: string): Scalars | undefined
  /** Sources or series of the rows that nothing asked for. */
  unused(): string[]
}

/** `./a/` and `a` are one path. */
const plain = (path: string) => normalize(path).replace(/(?<=.)\/+$/, "")

/** @param name of the file, for the Fault `bad-metadata-csv` */
export function metadataTable(text: string, name = "the metadata CSV"): MetadataTable {
  const { key, rows } = readMetadataCsv(text)
  const nameOf = key === "source" ? plain : (series: string) => series
  const byName = new Map<string, Scalars>()
  for (const [row, columns] of rows) {
    if (byName.has(nameOf(row))) {
      const message = `${name} has two rows for ${nameOf(row)}, written in two ways: keep one of them`
      throw new Fault("invalid", "bad-metadata-csv", message)
    }
    byName.set(nameOf(row), columns)
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
