import { importProbe } from "#shared/probe/exchange/import.ts"
import type { JobPorts } from "../../ports.ts"
import type { Output } from "../output.ts"
import { folderReader } from "./folder.ts"

/** Keeps the version that an export holds. */
export async function importCommand(
  { folder, as, promote }: { folder: string; as?: string; promote: boolean },
  { objects, now }: JobPorts,
  out: Output,
): Promise<void> {
  const imported = await importProbe(objects, { read: folderReader(folder), as, promote, now: now() })
  out.result(imported, ({ probe, version, imported, current }) => {
    const state = current ? "answers from now on" : `a candidate: voxkin probe promote ${probe} ${version}`
    return `${probe} ${version}  ${imported ? "imported" : "was there already"}, ${state}`
  })
}
