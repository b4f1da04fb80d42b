import { rename, rm, writeFile } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import { Fault, reason } from "#shared/errors.ts"
import { encodeFeatures } from "#shared/features/encode.ts"
import { seriesId } from "#shared/volume/series-id.ts"
import { compute } from "../jobs/embed.ts"
import type { JobPorts } from "../ports.ts"
import type { Output } from "./output.ts"
import { withOneSeries } from "./query.ts"

/** Writes the features of the one series at a path to a file of the caller's; the store is left alone. */
export async function encodeCommand(path: string, file: string, ports: JobPorts, out: Output): Promise<void> {
  await withOneSeries(path, async (candidate) => {
    out.progress(`reading ${path}`)
    const read = await candidate.read()
    const series = seriesId(read.volume)
    out.progress(`encoding ${path}`)
    const encoder = await ports.encoder()
    const features = await compute(series, read, encoder)
    await writeWhole(file, encodeFeatures(features))
    const { grid, receipt } = features
    out.result(
      { series, source: candidate.source, out: file, encoder: encoder.id, dim: encoder.dim, grid, receipt },
      (r) => `${r.series}  ${r.grid.join(" × ")} patches of ${r.dim} by ${r.encoder}  → ${r.out}`,
    )
  })
}

/** A file is there whole, or not at all. */
async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const part = `${file}.${process.pid}.part`
  try {
    await writeFile(part, bytes)
    await rename(part, file)
  } catch (cause) {
    await rm(part, { force: true })
    throw new Fault(
      "invalid",
      "cannot-write",
      `cannot write ${file} in ${dirname(resolve(file))}: ${reason(cause)}`,
      {
        cause,
      },
    )
  }
}
