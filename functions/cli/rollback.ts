import { rollback } from "#shared/retrieval/rollback.ts"
import type { JobPorts } from "../ports.ts"
import type { Output } from "./output.ts"

/** Makes an earlier snapshot live again. */
export async function rollbackCommand(
  { cohort, to }: { cohort: string; to?: string },
  ports: JobPorts,
  out: Output,
): Promise<void> {
  const done = await rollback(ports.objects, { cohort, to, now: ports.now() })
  out.result(done, ({ snapshot, from, count, encoder, fresh, missing }) => {
    const newer = fresh > 0 ? `, ${fresh} newer ones scanned beside it` : ""
    const lacking = missing > 0 ? `, ${missing} newer ones without features of it are not found` : ""
    return `${snapshot}: ${count} series of ${encoder}, live again in place of ${from}${newer}${lacking}`
  })
}
