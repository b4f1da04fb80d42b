import { labelCohort } from "#shared/cohort/label.ts"
import type { JobPorts } from "../ports.ts"
import { readTable } from "./metadata-table.ts"
import type { Output } from "./output.ts"

/** Gives a cohort's series the labels of a table. */
export async function labelCommand(
  cohort: string,
  file: string,
  { objects }: JobPorts,
  out: Output,
): Promise<void> {
  const done = await labelCohort(objects, cohort, await readTable(file))
  out.result(done, ({ labelled, without, unknown }) => {
    const strangers = unknown.rows.slice(0, 5).join(", ") + (unknown.count > 5 ? ", …" : "")
    return [
      `${labelled} series labelled, ${without} of ${cohort} have no row`,
      ...(unknown.count > 0 ? [`  ${unknown.count} rows are of no series of ${cohort}: ${strangers}`] : []),
    ].join("\n")
  })
}
