import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Fault, reason } from "#shared/errors.ts"
import { curvePlot } from "#shared/probe/curve/record.ts"
import { readPlot } from "#shared/probe/evidence.ts"
import { listOverlays } from "#shared/probe/explain/overlays.ts"
import { getProbe } from "#shared/probe/predict.ts"
import { keys } from "#shared/store/keys.ts"
import type { JobPorts } from "../../ports.ts"
import type { Output } from "../output.ts"

/** Writes the plots of a version of a probe, its learning curve and overlays among them, into a folder; a line with the path of each. */
export async function plotsCommand(
  { name, version: asked, folder }: { name: string; version?: string; folder: string },
  { objects }: JobPorts,
  out: Output,
): Promise<void> {
  const record = await getProbe(objects, name, asked)
  const { version } = record
  const curve = (await objects.has(keys.probePart(name, version, curvePlot))) ? [curvePlot] : []
  const overlays = await listOverlays(objects, { probe: name, version })
  const read = [...record.plots, ...curve, ...overlays].map(async (plot) => ({
    plot,
    svg: await readPlot(objects, record, plot),
  }))
  for (const { plot, svg } of await Promise.all(read)) {
    const path = join(folder, plot)
    await write(folder, path, svg)
    out.result({ probe: name, version, plot, path }, () => path)
  }
}

async function write(folder: string, path: string, svg: Uint8Array): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(path, svg)
  } catch (cause) {
    const message = `${path} cannot be written (${reason(cause)}): name another folder with --out`
    throw new Fault("invalid", "bad-out-folder", message, { cause })
  }
}
