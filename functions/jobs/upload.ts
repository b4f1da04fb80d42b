import { createWriteStream } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { Fault } from "#shared/errors.ts"
import type { Job } from "#shared/jobs/job.ts"
import { readUpload } from "#shared/jobs/upload.ts"
import { discover } from "#shared/volume/discover.ts"
import type { JobPorts, Progress } from "../ports.ts"
import { type Added, embed, encoderOf } from "./embed.ts"

export interface Embedded {
  series: Added[]
  /** How many files were no part of a CT volume, by the reason's code; their names may be patients'. */
  setAside: Record<string, number>
}

/**
 * Embeds what was uploaded: one NIfTI file, or a zip of DICOM files with any number of series. The upload is
 * deleted once each series of it is embedded or rejected.
 * @throws Fault when nothing in the upload is a series, or every series was rejected
 */
export async function embedUpload(
  id: string,
  job: Extract<Job, { kind: "embed" }>,
  ports: JobPorts,
  onProgress: (progress: Progress) => void,
): Promise<Embedded> {
  const folder = await mkdtemp(join(tmpdir(), "voxkin-upload-"))
  try {
    const file = join(folder, "upload")
    await pipeline(readUpload(ports.objects, id), createWriteStream(file))
    const found = await discover(file, job.source)
    try {
      const encoder = await encoderOf(job.cohort, false, ports)
      const metadata = () => job.metadata ?? {}
      const series: Added[] = []
      for (const candidate of found.candidates) {
        onProgress({
          done: series.length,
          total: found.candidates.length,
          message: `embedding ${candidate.source}`,
        })
        series.push(await embed(candidate, { cohort: job.cohort, encoder, metadata }, ports))
      }
      const rejected = series.filter((s) => s.status === "rejected")
      if (rejected.length === series.length) {
        throw new Fault(
          "invalid",
          rejected[0].code ?? "rejected",
          rejected[0].message ?? "every series was rejected",
        )
      }
      const setAside: Record<string, number> = {}
      for (const { code } of found.setAside) setAside[code] = (setAside[code] ?? 0) + 1
      return { series, setAside }
    } finally {
      await found.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
