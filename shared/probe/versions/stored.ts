import * as z from "zod"
import { Fault } from "#shared/errors.ts"
import { getJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { ofAnotherVoxkin, ProbeRecord, recordFile } from "../record.ts"
import { versionParts } from "./pointer.ts"

/**
 * The record of a version of a probe; undefined where it is not there, as of a fit that was interrupted.
 * @throws Fault `unavailable` / `corrupt-object`, `corrupt-probe`, `old-probe`, `newer-probe`
 */
export async function readRecord(
  objects: ObjectStore,
  name: string,
  version: string,
): Promise<ProbeRecord | undefined> {
  const key = keys.probePart(name, version, recordFile)
  try {
    const record = (await getJson(objects, key, ProbeRecord))?.value
    if (!record || (record.name === name && record.version === version)) return record
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.code === "corrupt-object")) throw thrown
    const json = await getJson(objects, key, z.unknown()).catch(() => undefined)
    const what = `version ${version} of probe ${name}`
    throw ofAnotherVoxkin(json?.value, { kind: "unavailable", what, cause: thrown }) ?? thrown
  }
  throw corruptProbe(`${key} is the record of another probe or version`)
}

export function corruptProbe(what: string, cause?: unknown): Fault {
  return new Fault("unavailable", "corrupt-probe", `${what}: fit it again`, { cause })
}

/** The fault for a probe without a version that answers. */
export async function noCurrent(objects: ObjectStore, name: string): Promise<Fault> {
  const complete = await completeVersions(objects, name)
  if (complete.length === 0)
    return new Fault("missing", "no-such-probe", `there is no probe ${name}: fit it first`)
  return new Fault(
    "missing",
    "not-promoted",
    `probe ${name} has candidates only, of which none answers: promote one (${some(complete)}), or name its version`,
  )
}

/** The fault for a version that is not there, or not complete. */
export async function noSuchVersion(objects: ObjectStore, name: string, version: string): Promise<Fault> {
  const complete = await completeVersions(objects, name)
  if (complete.length === 0) return noCurrent(objects, name)
  const message = `probe ${name} has no version ${version}: it has ${some(complete)}`
  return new Fault("missing", "no-such-version", message)
}

/** Newest first. A version is complete once its record is there, which is written last. */
export async function completeVersions(objects: ObjectStore, name: string): Promise<string[]> {
  const all = await versionParts(objects, name)
  return [...all].filter(([, parts]) => parts.includes(recordFile)).map(([version]) => version)
}

function some(versions: string[]): string {
  return `${versions.slice(0, 5).join(", ")}${versions.length > 5 ? ", …" : ""}`
}
