import * as z from "zod"
import { Fault } from "#shared/errors.ts"
import { CohortName } from "#shared/ids.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { mapBounded, storeConcurrency } from "./bounded.ts"
import { getCohort } from "./cohort.ts"
import { listMembers, updateMember } from "./members.ts"
import type { MetadataTable } from "./metadata-table.ts"

export const LabelledCohort = z.object({
  cohort: CohortName,
  /** Series that have a row, and members of the cohort that have none. */
  labelled: z.int(),
  without: z.int(),
  /** How many rows are of no series of the cohort, and the first hundred of them as they are written. */
  unknown: z.object({ count: z.int(), rows: z.array(z.string()) }),
})
export type LabelledCohort = z.infer<typeof LabelledCohort>

const mostNamed = 100

/**
 * Lays the rows of a table over the labels of a cohort's series, told by series id or source; scans are not read. Other
 * columns stay; an empty cell says that a label is known to be absent. Probes read labels at once.
 * @throws Fault `missing` / `no-such-cohort`; `invalid` / `no-such-series` when no row is of any
 */
export async function labelCohort(
  objects: ObjectStore,
  name: string,
  table: MetadataTable,
): Promise<LabelledCohort> {
  const { cohort } = await getCohort(objects, name)
  const members = await listMembers(objects, cohort)
  const rows = members.flatMap(({ source, series }) => {
    const columns = table.take(source, series)
    return columns ? [{ series, columns }] : []
  })
  const unknown = table.unused()
  if (rows.length === 0) {
    const message = `none of ${unknown.length} rows is of a series of cohort ${cohort}: name them by 'series' (the ids that add told) or 'source' (the paths as they were added)`
    throw new Fault("invalid", "no-such-series", message)
  }
  const done = await mapBounded(rows, storeConcurrency, ({ series, columns }) =>
    updateMember(objects, cohort, series, ({ labels }) => ({ labels: { ...labels, ...columns } })),
  )
  const labelled = done.filter((member) => member !== undefined).length
  return {
    cohort,
    labelled,
    without: members.length - rows.length,
    unknown: { count: unknown.length, rows: unknown.slice(0, mostNamed) },
  }
}
