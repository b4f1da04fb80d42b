import { createHash } from "node:crypto"
import { setImmediate } from "node:timers/promises"
import type { Release } from "#shared/cohort/pointer.ts"
import { Fault } from "#shared/errors.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { openRows, type Rows } from "./rows.ts"
import { corrupt, type Manifest, type PartName, readManifest } from "./snapshot.ts"

/** Read and hashed at once: about 5 ms of hashing, so that the event loop need not wait for more. */
const chunkBytes = 2 ** 23

/**
 * Hands the bytes of one part to `take`, chunk after chunk, `at` from the part's start; a chunk is good until `take`
 * returns. Only when the whole has been handed over is it known to be what was published: use nothing before.
 * @throws Fault `unavailable` / `corrupt-snapshot` unless it is
 */
export async function streamPart(
  objects: ObjectStore,
  { cohort, encoder, snapshot, parts }: Manifest,
  name: PartName,
  take: (chunk: Uint8Array, at: number) => void,
): Promise<void> {
  const expected = parts[name]
  if (!expected) throw corrupt(cohort, snapshot, name, "is missing")
  const key = keys.snapshotPart(cohort, encoder, snapshot, name)
  const hash = createHash("sha256")
  const read = (at: number) => objects.get(key, { start: at, end: Math.min(at + chunkBytes, expected.bytes) })
  let next = read(0)
  for (let at = 0; at === 0 || at < expected.bytes; at += chunkBytes) {
    const found = await next
    if (!found) throw corrupt(cohort, snapshot, name, "is missing")
    const { bytes } = found
    // The next chunk is on its way while this one is hashed.
    if (at + chunkBytes < expected.bytes) next = read(at + chunkBytes)
    next.catch(() => {}) // it is told when it is awaited, if it ever is
    if (bytes.length !== Math.min(chunkBytes, expected.bytes - at)) {
      throw corrupt(cohort, snapshot, name, "is not what was published")
    }
    hash.update(bytes)
    take(bytes, at)
    await setImmediate()
  }
  if (hash.digest("hex") !== expected.sha256)
    throw corrupt(cohort, snapshot, name, "is not what was published")
}

/** The bytes of one part. @throws Fault as `streamPart` */
export async function readPart(
  objects: ObjectStore,
  manifest: Manifest,
  name: PartName,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(manifest.parts[name]?.bytes ?? 0)
  await streamPart(objects, manifest, name, (chunk, at) => bytes.set(chunk, at))
  return bytes
}

/** Which series each row of a snapshot is. @throws Fault as `streamPart` */
export async function readRows(objects: ObjectStore, manifest: Manifest): Promise<Rows> {
  return openRows(await readPart(objects, manifest, "rows.bin"), manifest.count)
}

/** [count, dim]. @throws Fault as `streamPart` */
export async function readVectors(
  objects: ObjectStore,
  manifest: Manifest,
): Promise<Float32Array<ArrayBuffer>> {
  // Little-endian, as every machine that Node runs on has it.
  return new Float32Array((await readPart(objects, manifest, "vectors.f32")).buffer)
}

/** Reads every part. @throws Fault `corrupt-snapshot` unless all are as published */
export async function checkParts(objects: ObjectStore, manifest: Manifest): Promise<void> {
  for (const name of Object.keys(manifest.parts) as PartName[]) {
    await streamPart(objects, manifest, name, () => {})
  }
}

/** The manifest of a release all of whose parts are as published; undefined for a damaged one. */
export async function wholeManifest(
  objects: ObjectStore,
  cohort: string,
  release: Release,
): Promise<Manifest | undefined> {
  try {
    const manifest = await readManifest(objects, cohort, release)
    await checkParts(objects, manifest)
    return manifest
  } catch (thrown) {
    // Publishing again is the remedy for a damaged snapshot, so it must not stop here.
    if (thrown instanceof Fault && thrown.code === "corrupt-snapshot") return undefined
    throw thrown
  }
}
