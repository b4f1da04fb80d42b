import { readFile } from "node:fs/promises"
import { type MetadataTable, metadataTable } from "#shared/cohort/metadata-table.ts"
import { Fault, reason } from "#shared/errors.ts"

/** @throws Fault `no-metadata-file`, `bad-metadata-csv` */
export async function readTable(file: string): Promise<MetadataTable> {
  return metadataTable(await textOf(file), file)
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
    const message = `${file} is not UTF-8: save it as "CSV UTF-8"`
    throw new Fault("invalid", "bad-metadata-csv", message, { cause })
  }
}
