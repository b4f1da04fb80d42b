import type { Job } from "#shared/jobs/job.ts"
import { learningCurve } from "#shared/probe/curve/learning-curve.ts"
import { evaluateOn } from "#shared/probe/external/evaluate.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { fitPanel } from "#shared/probe/panel/fit.ts"
import { predictCohort } from "#shared/probe/predict-cohort.ts"
import type { JobPorts, Progress } from "../ports.ts"
import { publishCohort } from "../publish.ts"
import { embedUpload } from "./upload.ts"

/** Does one job and returns what it made. Safe to run twice. */
export async function run(
  id: string,
  job: Job,
  ports: JobPorts,
  onProgress: (progress: Progress) => void,
): Promise<unknown> {
  const { objects } = ports
  const now = ports.now()
  switch (job.kind) {
    case "embed":
      return embedUpload(id, job, ports, onProgress)
    case "publish":
      return publishCohort(job, ports, onProgress)
    case "fit":
      return fitProbe(objects, { ...job, now, onProgress })
    case "panel":
      return fitPanel(objects, { ...job, now, onProgress })
    case "predict":
      return predictCohort(objects, job, { now, onProgress })
    case "evaluate":
      return evaluateOn(objects, job, { now, onProgress })
    case "learning-curve":
      return learningCurve(objects, { ...job, now, onProgress })
    default:
      return job satisfies never
  }
}
