import { publish } from "#shared/retrieval/publish.ts"
import type { JobPorts } from "../ports.ts"
import { bar, type Output } from "./output.ts"

export async function publishCommand(cohort: string, ports: JobPorts, out: Output): Promise<void> {
  const published = await publish(ports.objects, {
    cohort,
    now: ports.now(),
    onProgress: ({ done, total, message }) => out.progress(bar(done, total, message)),
  })
  out.result(published, ({ snapshot, count, encoder, engine, recallAt10, promoted }) => {
    const live = promoted ? "now live" : "not promoted"
    return `${snapshot}: ${count} series of ${encoder}, ${engine}, recall@10 ${recallAt10.toFixed(3)}, ${live}`
  })
}
