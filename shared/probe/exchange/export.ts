import * as z from "zod"
import { sha256 } from "#shared/ids.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { openProbe } from "../predict.ts"
import type { ProbeRecord } from "../record.ts"
import { readTraining } from "../training.ts"
import { versionParts } from "../versions/pointer.ts"

/** Names every other file of an export with its digest, as `sha256sum -c` reads it. */
export const sumsFile = "SHA256SUMS"
/** A file's name in an export, which no path can be. */
export const PartName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, "a part is a file's name")

/** The parts of a version, by name: its record, its weights, and what else was kept with it, evaluations excepted. */
export async function partNames(objects: ObjectStore, { name, version }: ProbeRecord): Promise<string[]> {
  const parts = (await versionParts(objects, name)).get(version) ?? []
  return [...parts, sumsFile].sort()
}

/**
 * One version of a probe as files that mean the same anywhere: every part as it is kept, and their digests. The record,
 * the weights and the training series are checked first. Undefined parts do not exist.
 * @throws Fault `no-such-probe`, `no-such-version`, `corrupt-probe`, `old-probe`, `newer-probe`
 */
export async function exportProbe(
  objects: ObjectStore,
  name: string,
  version?: string,
): Promise<{ record: ProbeRecord; files: Map<string, Uint8Array> }> {
  const { record } = await openProbe(objects, name, version)
  await readTraining(objects, record)
  const files = new Map<string, Uint8Array>()
  for (const part of await partNames(objects, record)) {
    const object =
      part === sumsFile ? undefined : await objects.get(keys.probePart(name, record.version, part))
    if (object) files.set(part, object.bytes)
  }
  const sums = [...files].map(([part, bytes]) => `${sha256(bytes)}  ${part}\n`).join("")
  return { record, files: files.set(sumsFile, new TextEncoder().encode(sums)) }
}
