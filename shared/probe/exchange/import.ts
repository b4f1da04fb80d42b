import * as z from "zod"
import { Fault } from "#shared/errors.ts"
import { ProbeName, sha256 } from "#shared/ids.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { type ProbeRecord, ProbeVersion, recordFile } from "../record.ts"
import { currentVersion, setCurrent } from "../versions/pointer.ts"
import { checkParts, type ReadFile, readExport, recordOf } from "./check.ts"

export const Imported = z.object({
  probe: ProbeName,
  version: ProbeVersion,
  /** False when the very same version was there already. */
  imported: z.boolean(),
  /** Whether it answers now. */
  current: z.boolean(),
  /** What answered before. */
  from: ProbeVersion.nullable(),
})
export type Imported = z.infer<typeof Imported>

export interface ImportOptions {
  read: ReadFile
  /** The probe's name here; its own when absent. */
  as?: string
  promote: boolean
  now: Date
}

/**
 * Keeps an exported version under the name it has or another. Everything is checked before anything is written: the
 * digests, the record's schema, the weights' shape and values, the training series. The encoder need not be known here:
 * until features of it are, predictions say that there are none.
 * @throws Fault `invalid` / `bad-export`, `old-probe`, `newer-probe`; `too_large` / `export-too-large`; `conflict` / `version-exists`
 */
export async function importProbe(objects: ObjectStore, options: ImportOptions): Promise<Imported> {
  const files = await readExport(options.read)
  const { record, bytes } = recordOf(files, options.as)
  checkParts(record, files)
  const { name, version } = record
  // Its record last: a version is complete once that is there.
  const parts = [...files].filter(([part]) => part !== recordFile)
  const imported = await putParts(objects, record, [...parts, [recordFile, bytes]])
  const before = await currentVersion(objects, name)
  if (options.promote) await setCurrent(objects, name, version, options.now)
  return {
    probe: name,
    version,
    imported,
    current: options.promote || before === version,
    from: before ?? null,
  }
}

/** False when all were there, the same. @throws Fault `version-exists` when one was there and is another */
async function putParts(
  objects: ObjectStore,
  { name, version }: ProbeRecord,
  parts: [part: string, bytes: Uint8Array][],
): Promise<boolean> {
  const missing: typeof parts = []
  for (const [part, bytes] of parts) {
    const there = await objects.get(keys.probePart(name, version, part))
    if (!there) missing.push([part, bytes])
    else if (sha256(there.bytes) !== sha256(bytes)) throw versionExists(name, version, part)
  }
  for (const [part, bytes] of missing) {
    try {
      await objects.put(keys.probePart(name, version, part), bytes, { ifAbsent: true })
    } catch (thrown) {
      if (!(thrown instanceof Fault && thrown.code === "precondition-failed")) throw thrown
      const there = await objects.get(keys.probePart(name, version, part))
      if (!there || sha256(there.bytes) !== sha256(bytes)) throw versionExists(name, version, part)
    }
  }
  return missing.length > 0
}

function versionExists(name: string, version: string, part: string): Fault {
  const message = `probe ${name} has a version ${version} already, whose ${part} is another: import this one under another name`
  return new Fault("conflict", "version-exists", message)
}
