import { publish } from "#shared/retrieval/publish.ts"
import type { JobPorts } from "../ports.ts"
import { bar, type Output } from "./output.ts"

export async function publishCommand(
  { cohort, force }: { cohort: string; force?: boolean },
  ports: JobPorts,
  out: Output,
): Promise<void> {
  const published = await publish(ports.objects, {
    cohort,
    force,
    now: ports.now(),
    onProgress: ({ done, total, message }) => out.progress(bar(done, total, message)),
  })
  out.result(published, ({ snapshot, count, encoder, engine, recallAt10, promoted, reasons }) => {
    const live = promoted ? "now live" : "not promoted"
    const against = reasons.map((reason) => `\n  against it: ${reason}`).join("")
    const remedy =
      !promoted && reasons.length > 0 ? "\n  publish --force makes such a snapshot live all the same" : ""
    return `${snapshot}: ${count} series of ${encoder}, ${engine}, recall@10 ${recallAt10.toFixed(3)}, ${live}${against}${remedy}`
  })
}
