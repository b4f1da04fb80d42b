import { renameSync, rmSync, writeFileSync } from "node:fs"
import { access, constants } from "node:fs/promises"
import { dirname } from "node:path"
import { Fault, reason } from "#shared/errors.ts"
import { encodeFeatures } from "#shared/features/encode.ts"
import { seriesId } from "#shared/volume/series-id.ts"
import { compute } from "../jobs/embed.ts"
import type { JobPorts } from "../ports.ts"
import type { Output } from "./output.ts"
import { withOneSeries } from "./query.ts"

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

/** Said before the minutes that encoding may take, not after. */
async function checkFolder(file: string): Promise<void> {
  try {
    await access(dirname(file), constants.W_OK)
  } catch (cause) {
    throw cannotWrite(file, cause)
  }
}

/** A file is there whole, or not at all: a signal comes before the writing or after it. */
function writeWhole(file: string, bytes: Uint8Array): void {
  const part = `${file}.${process.pid}.part`
  try {
    writeFileSync(part, bytes)
    renameSync(part, file)
  } catch (cause) {
    rmSync(part, { force: true })
    throw cannotWrite(file, cause)
  }
}

function cannotWrite(file: string, cause: unknown): Fault {
  const message = `cannot write ${file} (${reason(cause)}): name a file in a folder that is there, with room in it`
  return new Fault("invalid", "cannot-write", message, { cause })
}
