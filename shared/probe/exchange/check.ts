import { Fault } from "#shared/errors.ts"
import { sha256 } from "#shared/ids.ts"
import { headOf } from "../predict.ts"
import { ofAnotherVoxkin, ProbeRecord, recordFile } from "../record.ts"
import { decodeTraining } from "../training.ts"
import { PartName, sumsFile } from "./export.ts"

const mostParts = 100
/** Of all parts together, as of an upload. */
const mostBytes = 2 ** 30

/** Reads a file of an export, of at most so many bytes. */
export type ReadFile = (file: string, mostBytes: number) => Promise<Uint8Array>

/** Every file that the sums name, each the very one. @throws Fault `invalid` / `bad-export` */
export async function readExport(read: ReadFile): Promise<Map<string, Uint8Array>> {
  const sums = sumsOf(new TextDecoder().decode(await read(sumsFile, 2 ** 16)))
  const files = new Map<string, Uint8Array>()
  let left = mostBytes
  for (const [part, digest] of sums) {
    const bytes = await read(part, left)
    if (sha256(bytes) !== digest) throw badExport(`${part} is not the file that ${sumsFile} names`)
    left -= bytes.length
    files.set(part, bytes)
  }
  return files
}

function sumsOf(text: string): Map<string, string> {
  const sums = new Map<string, string>()
  for (const line of text.split(/\r?\n/).filter((line) => line !== "")) {
    const [, digest, part] = /^([0-9a-f]{64}) [ *](.*)$/.exec(line) ?? []
    if (!PartName.safeParse(part).success || part === sumsFile)
      throw badExport(`${sumsFile} has a line that names no file of the folder`)
    sums.set(part, digest)
  }
  if (!sums.has(recordFile)) throw badExport(`${sumsFile} does not name ${recordFile}`)
  if (sums.size > mostParts) throw badExport(`${sumsFile} names more than ${mostParts} files`)
  return sums
}

/** The record, and its bytes under the name it is to have: as they were, unless that is another. */
export function recordOf(files: Map<string, Uint8Array>, as: string | undefined) {
  const bytes = files.get(recordFile)!
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw badExport(`${recordFile} is not JSON`, cause)
  }
  const parsed = ProbeRecord.safeParse(json)
  if (!parsed.success) {
    const other = ofAnotherVoxkin(json, { kind: "invalid", what: recordFile, cause: parsed.error })
    if (other) throw other
    const [{ path, message }] = parsed.error.issues
    throw badExport(`${recordFile} does not fit its schema at '${path.join(".")}': ${message}`, parsed.error)
  }
  const record = parsed.data
  if (as === undefined || as === record.name) return { record, bytes }
  // Of the JSON, not of the record: what a later version has written more stays.
  const renamed = new TextEncoder().encode(JSON.stringify({ ...(json as object), name: as }))
  return { record: { ...record, name: as }, bytes: renamed }
}

/** Decodes the weights and the training series. @throws Fault `invalid` / `bad-export` */
export function checkParts(record: ProbeRecord, files: Map<string, Uint8Array>): void {
  const part = (file: string) => {
    const bytes = file === recordFile ? undefined : files.get(file)
    if (bytes) return bytes
    throw badExport(
      `${sumsFile} does not name ${JSON.stringify(file.slice(0, 100))}, which ${recordFile} needs`,
    )
  }
  for (const plot of record.plots) part(plot)
  try {
    headOf(record, part(record.head.file), record.head.file)
    decodeTraining(part(record.training.file), record, record.training.file)
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === "corrupt-probe") throw badExport(thrown.message, thrown)
    throw thrown
  }
}

function badExport(what: string, cause?: unknown): Fault {
  return new Fault("invalid", "bad-export", `this is no whole export of a probe: ${what}. Export it again`, {
    cause,
  })
}
