import { readCard } from "#shared/encoder/card.ts"
import { EncoderId } from "#shared/ids.ts"
import type { Published } from "#shared/retrieval/publish.ts"
import type { JobPorts } from "../ports.ts"
import { publishCohort } from "../publish.ts"
import { bar, type Output } from "./output.ts"

export async function publishCommand(
  /** `encoder`: its id, or its folder. */
  { cohort, encoder, force }: { cohort: string; encoder?: string; force?: boolean },
  ports: JobPorts,
  out: Output,
): Promise<void> {
  const id =
    encoder === undefined || EncoderId.safeParse(encoder).success ? encoder : (await readCard(encoder)).id
  const published = await publishCohort({ cohort, encoder: id, force }, ports, ({ done, total, message }) =>
    out.progress(bar(done, total, message)),
  )
  out.result(published, words)
}

function words(published: Published): string {
  const { snapshot, count, encoder, engine, recallAt10, promoted, reasons, change, missing } = published
  const live = promoted ? "now live" : "not promoted"
  const remedy =
    !promoted && reasons.length > 0 ? ["publish --force makes such a snapshot live all the same"] : []
  return [
    `${snapshot}: ${count} series of ${encoder}, ${engine}, recall@10 ${recallAt10.toFixed(3)}, ${live}`,
    ...(missing > 0 ? [`${missing} series have no features of ${encoder}: left out`] : []),
    ...(change?.probes ?? []).flatMap(({ probe, compared }) => (compared ? [compare(probe, compared)] : [])),
    ...reasons.map((reason) => `against it: ${reason}`),
    ...remedy,
  ].join("\n  ")
}

type Compared = NonNullable<NonNullable<Published["change"]>["probes"][number]["compared"]>

function compare(probe: string, { metric, series, before, after, low, high }: Compared): string {
  const interval =
    low === null || high === null ? "" : `, the difference 95 % ${low.toFixed(3)} to ${high.toFixed(3)}`
  return `probe ${probe}: ${metric} ${before.toFixed(3)} before, ${after.toFixed(3)} after${interval}, on ${series} series`
}
