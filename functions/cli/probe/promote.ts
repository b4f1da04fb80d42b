import { promote } from "#shared/probe/versions/promote.ts"
import type { JobPorts } from "../../ports.ts"
import type { Output } from "../output.ts"

/** Lets a version answer from now on. */
export async function promoteCommand(
  { name, version }: { name: string; version: string },
  { objects, now }: JobPorts,
  out: Output,
): Promise<void> {
  out.result(await promote(objects, { name, version, now: now() }), ({ version, from, changed }) => {
    if (!changed) return `${version}  is current already`
    return `${version}  answers from now on${from === null ? "" : `, in place of ${from}`}`
  })
}
