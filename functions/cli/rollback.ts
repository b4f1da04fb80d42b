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
  out.result(done, ({ snapshot, from, count, fresh }) => {
    const newer = fresh > 0 ? `, ${fresh} newer ones scanned beside it` : ""
    return `${snapshot}: ${count} series, live again in place of ${from}${newer}`
  })
}
