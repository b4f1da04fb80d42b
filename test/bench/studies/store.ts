import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Scalars } from "#shared/cohort/members.ts"
import type { ProbeRecord } from "#shared/probe/record.ts"

const bin = new URL("../../../functions/voxkin.mjs", import.meta.url).pathname

/** Runs the command line as its users do, and answers with the JSON lines; rejected series and the like are told on stderr. */
export function voxkin(folder: string, ...args: string[]): Record<string, unknown>[] {
  const stdio: ("ignore" | "pipe" | "inherit")[] = ["ignore", "pipe", "inherit"]
  const options = { encoding: "utf8", stdio, maxBuffer: 2 ** 30 } as const
  const { status, stdout } = spawnSync(
    process.execPath,
    [bin, ...args, "--json", "--data", join(folder, "voxkin")],
    options,
  )
  if (status !== 0 && status !== 1)
    throw new Error(`voxkin ${args.slice(0, 3).join(" ")} … ended with ${status}`)
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line))
}

/** Adds scans with their labels, as a CSV of `source` and a column each. */
export function addAll(folder: string, cohort: string, scans: { path: string; labels: Scalars }[]): void {
  const columns = [...new Set(scans.flatMap(({ labels }) => Object.keys(labels)))]
  const rows = scans.map(({ path, labels }) =>
    [path, ...columns.map((column) => labels[column] ?? "")].join(","),
  )
  const table = join(folder, `${cohort}.csv`)
  writeFileSync(table, [["source", ...columns].join(","), ...rows, ""].join("\n"))
  const paths = scans.map(({ path }) => path)
  for (let i = 0; i < paths.length; i += 500) {
    const some = paths.slice(i, i + 500)
    const lines = voxkin(folder, "add", ...some, "--cohort", cohort, "--metadata", table)
    const rejected = lines.filter(({ status }) => status === "rejected")
    for (const { source, code } of rejected) console.log(`  rejected ${String(source)}: ${String(code)}`)
  }
}

export function fit(folder: string, name: string, ...args: string[]): ProbeRecord {
  const [record] = voxkin(folder, "probe", "fit", name, ...args)
  return record as unknown as ProbeRecord
}
