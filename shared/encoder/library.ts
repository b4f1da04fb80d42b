import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Fault } from "#shared/errors.ts"
import { getJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import { withLock } from "#shared/store/lock.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { EncoderCard, readCard, verifyWeights } from "./card.ts"

/** The small untrained encoder that ships with voxkin. */
export const defaultEncoderDir = fileURLToPath(new URL("./default", import.meta.url))

/**
 * Copies an encoder's folder into the store, once: whoever reads a cohort later finds the encoder that made it.
 * The card goes last, so a card in the store means that all of it is there.
 * @throws Fault `no-encoder`, `corrupt-encoder`
 */
export async function keepEncoder(objects: ObjectStore, dir: string): Promise<EncoderCard> {
  const card = await readCard(dir)
  if (await objects.has(keys.encoderPart(card.id, "encoder.json"))) return card
  await verifyWeights(dir, card)
  for (const { name } of card.files)
    await objects.put(keys.encoderPart(card.id, name), await readFile(join(dir, name)))
  try {
    await objects.put(keys.encoderPart(card.id, "encoder.json"), await readFile(join(dir, "encoder.json")), {
      ifAbsent: true,
    })
  } catch (thrown) {
    // Someone else kept the same encoder meanwhile.
    if (!(thrown instanceof Fault && thrown.code === "precondition-failed")) throw thrown
  }
  return card
}

/**
 * A folder under `cacheDir` that holds this encoder of the store, whole and verified; an earlier copy is reused.
 * @throws Fault `no-encoder` when the store does not have it, `corrupt-encoder` when its parts do not fit their digests
 */
export async function fetchEncoder(objects: ObjectStore, id: string, cacheDir: string): Promise<string> {
  const folder = join(cacheDir, id)
  if (await isWhole(folder, id)) return folder

  const card = await getJson(objects, keys.encoderPart(id, "encoder.json"), EncoderCard)
  if (!card) throw absent(id, "encoder.json")
  await mkdir(cacheDir, { recursive: true })
  const draft = await mkdtemp(join(cacheDir, ".draft-"))
  try {
    for (const { name } of card.value.files) {
      const part = await objects.get(keys.encoderPart(id, name))
      if (!part) throw absent(id, name)
      await writeFile(join(draft, name), part.bytes)
    }
    await writeFile(join(draft, "encoder.json"), JSON.stringify(card.value))
    await verifyWeights(draft, card.value)
    // Several processes may be doing this; under the lock a whole folder is never taken away.
    await withLock(join(cacheDir, `.${id}.lock`), async () => {
      if (await isWhole(folder, id)) return
      await rm(folder, { recursive: true, force: true })
      await rename(draft, folder)
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return folder
}

async function isWhole(folder: string, id: string): Promise<boolean> {
  try {
    const card = await readCard(folder)
    await verifyWeights(folder, card)
    return card.id === id
  } catch (thrown) {
    if (thrown instanceof Fault) return false
    throw thrown
  }
}

function absent(id: string, part: string): Fault {
  return new Fault(
    "missing",
    "no-encoder",
    `encoder ${id} is not in the store (no ${part}): add a scan with --encoder and its folder once, or restore encoders/${id}/`,
  )
}
