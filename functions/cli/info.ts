import { join } from "node:path"
import { readCard } from "#shared/encoder/card.ts"
import { defaultEncoderDir } from "#shared/encoder/library.ts"
import { diskStore } from "#shared/store/disk.ts"
import { type Info, info } from "../info.ts"
import type { LocalOptions } from "../local.ts"
import type { Output } from "./output.ts"

export async function infoCommand({ data, encoder }: LocalOptions, out: Output): Promise<void> {
  const objects = diskStore(join(data, "objects"))
  out.result(await info({ objects, defaultEncoder: () => readCard(encoder ?? defaultEncoderDir) }), words)
}

function words({ version, encoder, recipe, engines, counts, notice }: Info): string {
  const untrained = encoder.status === "untrained" ? " (random weights: no clinical meaning)" : ""
  return [
    `voxkin ${version}. ${notice}`,
    `encoder  ${encoder.id}, ${encoder.status}${untrained}: ${encoder.dim} wide, ${encoder.depth} deep, ${(encoder.parameters / 1e6).toFixed(1)} M parameters, ${encoder.licence}`,
    `recipe   ${recipe.clip.join(" to ")} HU, from ${recipe.spacingFloor} mm up, at most ${recipe.patchBudget} patches of ${recipe.patch}³`,
    `engines  exact${engines.hnswAbsent === null ? ", HNSW" : `; HNSW is absent: ${engines.hnswAbsent}`}`,
    `holds    ${counts.cohorts} cohorts, ${counts.series} series, ${counts.probes} probes, ${counts.jobs} jobs`,
  ].join("\n")
}
