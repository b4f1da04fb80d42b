import * as z from "zod"
import { Fault } from "#shared/errors.ts"
import { getJson, putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { ProbeVersion } from "../record.ts"

const Promotion = z.object({
  version: ProbeVersion,
  promotedAt: z.iso.datetime(),
  /** Whether it became current by going back to it. */
  rollback: z.boolean().default(false),
})
type Promotion = z.infer<typeof Promotion>

/** The pointer to the version that answers, and those that did before, latest first. */
const Pointer = Promotion.extend({ history: z.array(Promotion) })
export type Pointer = z.infer<typeof Pointer>

export interface StoredPointer {
  value: Pointer
  etag: string
}

const historyLength = 50

/** Undefined where no version of that name ever answered. */
export function readPointer(objects: ObjectStore, name: string): Promise<StoredPointer | undefined> {
  return getJson(objects, keys.probeCurrent(name), Pointer)
}

/** Writes over the pointer that was read, whose entry goes into the history; false when it was moved meanwhile. */
export async function point(
  objects: ObjectStore,
  name: string,
  promotion: Promotion,
  over: StoredPointer | undefined,
): Promise<boolean> {
  const { history = [], ...last } = over?.value ?? {}
  const past = over ? [last as Promotion, ...history].slice(0, historyLength) : []
  try {
    const condition = over ? { ifMatch: over.etag } : { ifAbsent: true as const }
    await putJson(
      objects,
      keys.probeCurrent(name),
      { ...promotion, history: past } satisfies Pointer,
      condition,
    )
    return true
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === "precondition-failed") return false
    throw thrown
  }
}

/**
 * Lets a complete version answer from now on; the earlier ones stay where they are. Returns the version that did
 * before, which is the same where nothing had to be done.
 * @throws Fault `conflict` / `pointer-busy`
 */
export async function setCurrent(
  objects: ObjectStore,
  name: string,
  version: string,
  now: Date,
): Promise<string | null> {
  for (let attempt = 1; attempt <= 20; attempt++) {
    const there = await readPointer(objects, name)
    const from = there?.value.version ?? null
    if (from === version) return from
    // Where another flipped it in between: go on top of that one.
    if (await point(objects, name, { version, promotedAt: now.toISOString(), rollback: false }, there))
      return from
  }
  throw new Fault(
    "conflict",
    "pointer-busy",
    `others keep promoting versions of probe ${name}: promote ${version} again later`,
  )
}

/** The version that answers; undefined when none does. */
export async function currentVersion(objects: ObjectStore, name: string): Promise<string | undefined> {
  return (await readPointer(objects, name))?.value.version
}

/** The parts of each version of a probe, newest version first; evaluations are none. One listing, no reads. */
export async function versionParts(objects: ObjectStore, name: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  for (const key of await objects.list(keys.probe(name))) {
    const [, , version, part, ...below] = key.split("/")
    if (!ProbeVersion.safeParse(version).success || part === undefined || below.length > 0) continue
    found.set(version, [...(found.get(version) ?? []), part])
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? 1 : -1)))
}
