import { readFileSync } from "node:fs"
import * as z from "zod"
import { cohortNames } from "#shared/cohort/cohort.ts"
import { EncoderCard } from "#shared/encoder/card.ts"
import { listProbes } from "#shared/probe/predict.ts"
import { hnswAvailable } from "#shared/retrieval/hnsw.ts"
import { keys } from "#shared/store/keys.ts"
import type { ApiPorts } from "./ports.ts"

export const notice = "Research software, not a medical device."

const manifest = new URL("../package.json", import.meta.url)
export const version = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(manifest, "utf8"))).version

const { recipe, ...card } = EncoderCard.shape

export const Info = z.object({
  version: z.string(),
  encoder: z.object(card),
  recipe,
  engines: z.object({
    exact: z.literal(true),
    /** Null when HNSW is there; otherwise why it is absent. */
    hnswAbsent: z.string().nullable(),
  }),
  counts: z.object({ cohorts: z.int(), series: z.int(), probes: z.int(), jobs: z.int() }),
  notice: z.string(),
})
export type Info = z.infer<typeof Info>

/** What this installation is and holds. `series` counts those embedded by the default encoder. */
export async function info(ports: Pick<ApiPorts, "objects" | "defaultEncoder">): Promise<Info> {
  const { recipe, ...encoder } = await ports.defaultEncoder()
  const [cohorts, series, probes, jobs, hnsw] = await Promise.all([
    cohortNames(ports.objects),
    ports.objects.list(keys.featuresOf(encoder.id)),
    listProbes(ports.objects, () => {}),
    ports.objects.list(keys.jobs),
    hnswAvailable(),
  ])
  return {
    version,
    encoder,
    recipe,
    engines: { exact: true, hnswAbsent: hnsw.available ? null : hnsw.reason },
    counts: {
      cohorts: cohorts.length,
      series: series.length,
      probes: probes.length,
      jobs: jobs.filter((key) => key.endsWith("/job.json")).length,
    },
    notice,
  }
}
