import { listVersions } from "#shared/probe/versions/list.ts"
import type { JobPorts } from "../../ports.ts"
import type { Output } from "../output.ts"

/** A line per version, newest first; 1 where one could not be read. */
export async function versionsCommand(name: string, { objects }: JobPorts, out: Output): Promise<number> {
  let damaged = 0
  const versions = await listVersions(objects, name, ({ message, code }) => {
    damaged++
    out.remark(`${message} [${code}]`)
  })
  for (const version of versions) {
    out.result(version, ({ version, current, promotedAt, record }) => {
      const state = current ? "current" : promotedAt === null ? "candidate" : "earlier"
      const { count, cohort } = record.training
      return `${version}  ${state.padEnd(9)}  ${record.task} on ${count} series of ${cohort}`
    })
  }
  return damaged > 0 ? 1 : 0
}
