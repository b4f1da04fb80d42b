import { exportProbe } from "#shared/probe/exchange/export.ts"
import type { JobPorts } from "../../ports.ts"
import type { Output } from "../output.ts"
import { writeFolder } from "./folder.ts"

/** Writes a version of a probe into a folder of the caller's; the store is left alone. */
export async function exportCommand(
  { name, version, folder }: { name: string; version?: string; folder: string },
  { objects }: JobPorts,
  out: Output,
): Promise<void> {
  const { record, files } = await exportProbe(objects, name, version)
  writeFolder(folder, files)
  if (record.head.kind === "knn") {
    out.remark(
      "its neighbors go with it: the pooled features and the labels of its training series, by series id",
    )
  }
  out.result(
    { probe: name, version: record.version, out: folder, files: [...files.keys()].sort() },
    (done) => `${done.probe} ${done.version}  → ${done.out} (${done.files.join(", ")})`,
  )
}
