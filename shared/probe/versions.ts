import { z } from "zod"
import { Fault } from "#shared/errors.ts"
import { getJson, putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { ProbeVersion } from "./record.ts"

const Promotion = z.object({ version: ProbeVersion, promotedAt: z.iso.datetime() })

/** The pointer to the version that answers, and those that did before, latest first. */
const Current = Promotion.extend({ history: z.array(Promotion) })

/** Lets a complete version answer from now on. The earlier ones stay where they are. */
export async function setCurrent(
  objects: ObjectStore,
  name: string,
  version: string,
  now: Date,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const there = await getJson(objects, keys.probeCurrent(name), Current)
    const { history = [], ...before } = there?.value ?? {}
    const current = {
      version,
      promotedAt: now.toISOString(),
      history: there ? [before, ...history] : [],
    }
    try {
      const condition = there ? { ifMatch: there.etag } : { ifAbsent: true as const }
      await putJson(objects, keys.probeCurrent(name), current, condition)
      return
    } catch (thrown) {
      // Another fit flipped it in between: go on top of that one.
      if (thrown instanceof Fault && thrown.code === "precondition-failed" && attempt < 10) continue
      throw thrown
    }
  }
}

/** The version that answers; undefined when there is no such probe. */
export async function currentVersion(objects: ObjectStore, name: string): Promise<string | undefined> {
  return (await getJson(objects, keys.probeCurrent(name), Current))?.value.version
}
