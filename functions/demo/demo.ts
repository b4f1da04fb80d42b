import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { gzip } from "node:zlib"
import { writeNifti } from "#shared/volume/nifti-write.ts"
import { type PhantomMetadata, phantom } from "./phantom.ts"

/** The demo's series: the scans of fourteen bodies, the first ten reconstructed twice, so that each has a twin to find. */
export const demoSeries = Array.from({ length: 14 }, (_, seed) =>
  (seed < 10 ? [0, 1] : [0]).map((series) => ({ seed, series })),
).flat()

/**
 * Writes the demo's phantoms into a folder as `.nii.gz`, and `metadata.csv` beside them, whose `source` column
 * equals the paths; the same bytes each time.
 * @returns the paths of the phantoms, and that of the CSV
 */
export async function writeDemo(
  folder: string,
  which = demoSeries,
  onWritten: (done: number) => void = () => {},
): Promise<{ paths: string[]; csv: string }> {
  const paths: string[] = []
  const lines = ["source,patient,age,sex,region,finding,findingMm"]
  for (const { seed, series } of which) {
    const { volume, metadata } = phantom(seed, series)
    const path = join(folder, `${metadata.patient}-${series + 1}.nii.gz`)
    await writeFile(path, await promisify(gzip)(writeNifti(volume), { level: 1 }))
    paths.push(path)
    lines.push(row(path, metadata))
    onWritten(paths.length)
  }
  const csv = join(folder, "metadata.csv")
  await writeFile(csv, `${lines.join("\n")}\n`)
  return { paths, csv }
}

function row(source: string, { patient, age, sex, region, finding, findingMm }: PhantomMetadata): string {
  // A path may hold a comma or a quote (RFC 4180).
  return [`"${source.replaceAll('"', '""')}"`, patient, age, sex, region, finding, findingMm].join(",")
}
