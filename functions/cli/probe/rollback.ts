import { rollbackProbe } from "#shared/probe/versions/rollback.ts"
import type { JobPorts } from "../../ports.ts"
import type { Output } from "../output.ts"

/** Lets a version answer again that did before. */
export async function rollbackCommand(
  { name, to }: { name: string; to?: string },
  { objects, now }: JobPorts,
  out: Output,
): Promise<void> {
  const done = await rollbackProbe(objects, { name, to, now: now() })
  out.result(done, ({ version, from }) => `${version}  answers again, in place of ${from}`)
}
