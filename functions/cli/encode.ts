import { encodeFeatures } from "#shared/features/encode.ts"
import { seriesId } from "#shared/volume/series-id.ts"
import { compute } from "../jobs/embed.ts"
import type { JobPorts } from "../ports.ts"
import type { Output } from "./output.ts"
import { withOneSeries } from "./query.ts"
import { checkFolder, writeWhole } from "./whole-file.ts"

/** Writes the features of the one series at a path to a file of the caller's; the store is left alone. */
export async function encodeCommand(path: string, file: string, ports: JobPorts, out: Output): Promise<void> {
  await checkFolder(file)
  await withOneSeries(path, async (candidate) => {
    out.progress(`reading ${path}`)
    const read = await candidate.read()
    const series = seriesId(read.volume)
    out.progress(`encoding ${path}`)
    const encoder = await ports.encoder()
    const features = await compute(series, read, encoder)
    writeWhole(file, encodeFeatures(features))
    const { grid, receipt } = features
    out.result(
      { series, source: candidate.source, out: file, encoder: encoder.id, dim: encoder.dim, grid, receipt },
      (r) => `${r.series}  ${r.grid.join(" × ")} patches of ${r.dim} by ${r.encoder}  → ${r.out}`,
    )
  })
}
