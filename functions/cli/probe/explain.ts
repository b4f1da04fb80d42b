import { Fault } from "#shared/errors.ts"
import { SeriesId } from "#shared/ids.ts"
import { type Explanation, explain, explainable, type Spot } from "#shared/probe/explain/explanation.ts"
import { keepOverlay } from "#shared/probe/explain/overlays.ts"
import { explanationPicture } from "#shared/probe/explain/picture.ts"
import { whatItIs } from "#shared/probe/explain/remarks.ts"
import { openProbe } from "#shared/probe/predict.ts"
import { seriesId } from "#shared/volume/series-id.ts"
import { compute } from "../../jobs/embed.ts"
import type { JobPorts } from "../../ports.ts"
import type { Output } from "../output.ts"
import { withOneSeries } from "../query.ts"
import { checkFolder, writeWhole } from "../whole-file.ts"

/**
 * Encodes the one series at a path and draws which places the probe's score comes from; with `keep` the picture stays
 * with the version too, else the store is left alone.
 */
export async function explainCommand(
  scan: string,
  { name, version, file, keep }: { name: string; version?: string; file: string; keep: boolean },
  ports: JobPorts,
  out: Output,
): Promise<void> {
  if (SeriesId.safeParse(scan).success) {
    const message = `${scan} is a series id, and voxels are not kept: give the path to its scan`
    throw new Fault("invalid", "no-voxels", message)
  }
  const probe = explainable(await openProbe(ports.objects, name, version))
  await checkFolder(file)
  const { encoder } = probe.record
  await withOneSeries(scan, async (candidate) => {
    out.progress(`reading ${scan}`)
    const read = await candidate.read()
    out.progress(`encoding ${scan}`)
    // Anew, though they may be kept: kept patches are rounded to float16, and would not add up to the score.
    const features = await compute(seriesId(read.volume), read, await ports.encoder(encoder.id))
    const found = explain(probe, features)
    const picture = new TextEncoder().encode(explanationPicture({ volume: read.volume, features }, found))
    writeWhole(file, picture)
    if (keep) await keepOverlay(ports.objects, found.explanation, picture)
    out.result({ scan, out: file, encoder: encoder.id, ...found.explanation }, words)
  })
}

function words(explained: Explanation & { out: string }): string {
  const { of, unit, score, intercept, cls, patches, clsShare } = explained
  const token = cls === null ? "" : ` + CLS token ${digits(cls)} (${Math.round(100 * clsShare)} %)`
  const rows = (spots: Spot[]) =>
    spots.slice(0, 3).map(({ contribution, patient }) => {
      return `  ${digits(contribution)} at ${patient.map((mm) => mm.toFixed(0)).join(", ")} mm LPS`
    })
  return [
    `${of}: ${digits(score)} ${unit} = intercept ${digits(intercept)}${token} + patches ${digits(patches)}  → ${explained.out}`,
    ...rows(explained.for),
    ...(explained.against.length > 0 ? ["against it:", ...rows(explained.against)] : []),
    whatItIs,
  ].join("\n")
}

function digits(value: number): string {
  return value.toPrecision(3)
}
