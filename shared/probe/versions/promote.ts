import * as z from "zod"
import { ProbeName } from "#shared/ids.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { openProbe } from "../predict.ts"
import { ProbeVersion } from "../record.ts"
import { setCurrent } from "./pointer.ts"

export const Promoted = z.object({
  probe: ProbeName,
  /** What answers now, and what did before: null for the first, the same version when it was current already. */
  version: ProbeVersion,
  from: ProbeVersion.nullable(),
  changed: z.boolean(),
})
export type Promoted = z.infer<typeof Promoted>

/**
 * Lets a version of a probe answer from now on, once its record and its weights are read and found whole. One that
 * does already stays, and nothing is written.
 * @throws Fault `no-such-probe`, `no-such-version`, `corrupt-probe`, `corrupt-object`, `old-probe`, `newer-probe`, `pointer-busy`
 */
export async function promote(
  objects: ObjectStore,
  { name, version, now }: { name: string; version: string; now: Date },
): Promise<Promoted> {
  await openProbe(objects, name, version)
  const from = await setCurrent(objects, name, version, now)
  return { probe: name, version, from, changed: from !== version }
}
