import * as z from "zod"
import { isUnreadable } from "#shared/cohort/bounded.ts"
import { Fault } from "#shared/errors.ts"
import { ProbeName } from "#shared/ids.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { openProbe } from "../predict.ts"
import { ProbeVersion } from "../record.ts"
import { type Pointer, point, readPointer } from "./pointer.ts"
import { noCurrent } from "./stored.ts"

export interface ProbeRollback {
  name: string
  /** The version to go back to; the last whole one that answered before the current one when absent. */
  to?: string
  now: Date
}

export const ProbeRolledBack = z.object({
  probe: ProbeName,
  /** What answers now, and what did before. */
  version: ProbeVersion,
  from: ProbeVersion,
})
export type ProbeRolledBack = z.infer<typeof ProbeRolledBack>

/**
 * Lets a version of a probe answer again that did before; its record and weights are checked first. Going back is kept
 * in the history like every other flip, and going back twice goes back two.
 * @throws Fault `no-such-probe`, `not-promoted`, `no-such-version`, `nothing-before`, `corrupt-probe`, `pointer-busy`
 */
export async function rollbackProbe(
  objects: ObjectStore,
  { name, to, now }: ProbeRollback,
): Promise<ProbeRolledBack> {
  const before = await readPointer(objects, name)
  if (!before) throw await noCurrent(objects, name)
  const from = before.value.version
  const version = await target(objects, name, before.value, to)
  const promotion = { version, promotedAt: now.toISOString(), rollback: true }
  if (version !== from && !(await point(objects, name, promotion, before))) {
    throw new Fault(
      "conflict",
      "pointer-busy",
      `another version of probe ${name} was promoted meanwhile: look, and repeat`,
    )
  }
  return { probe: name, version, from }
}

async function target(
  objects: ObjectStore,
  name: string,
  pointer: Pointer,
  to: string | undefined,
): Promise<string> {
  const { history, version: live } = pointer
  if (to === undefined) {
    for (const version of standing(pointer)) if (await isWhole(objects, name, version)) return version
    const message = `no whole version of probe ${name} from before ${live} is kept: promote another, or fit it again`
    throw new Fault("conflict", "nothing-before", message)
  }
  if (to !== live && !history.some(({ version }) => version === to)) {
    const known = [...new Set(history.map(({ version }) => version))].join(", ") || "none"
    const message = `${to} never answered as probe ${name}: before the current one there were ${known}`
    throw new Fault("missing", "no-such-version", message)
  }
  if (await isWhole(objects, name, to)) return to
  const message = `version ${to} of probe ${name} is damaged or no longer there: choose another, or fit it again`
  throw new Fault("unavailable", "corrupt-probe", message)
}

/** What answered before the current version, latest first, without what was gone back from. */
function standing({ history, ...live }: Pointer): string[] {
  const stack: string[] = []
  for (const { version, rollback } of [live, ...history].reverse()) {
    const at = rollback ? stack.lastIndexOf(version) : -1
    if (at < 0) stack.push(version)
    else stack.length = at + 1
  }
  return stack.reverse().filter((version) => version !== live.version)
}

async function isWhole(objects: ObjectStore, name: string, version: string): Promise<boolean> {
  try {
    await openProbe(objects, name, version)
    return true
  } catch (thrown) {
    if (isUnreadable(thrown) || (thrown instanceof Fault && thrown.kind === "missing")) return false
    throw thrown
  }
}
