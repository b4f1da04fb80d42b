import { getCohort } from "#shared/cohort/cohort.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { type FitRequest, targetOf } from "#shared/probe/request.ts"
import type { JobPorts } from "../../ports.ts"
import { bar, type Output } from "../output.ts"
import { describe } from "./describe.ts"

export async function fitCommand(request: FitRequest, ports: JobPorts, out: Output): Promise<void> {
  targetOf(request)
  await getCohort(ports.objects, request.cohort)
  const record = await fitProbe(ports.objects, {
    ...request,
    now: ports.now(),
    onProgress: ({ done, total, message }) => out.progress(bar(done, total, message)),
  })
  out.result(record, describe)
  if (request.promote === false)
    out.remark(`a candidate; next: npx voxkin probe promote ${record.name} ${record.version}`)
}
