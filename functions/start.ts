import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { cohortNames } from "#shared/cohort/cohort.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { add } from "./cli/add.ts"
import { fail, output } from "./cli/output.ts"
import { describe } from "./cli/probe.ts"
import { searchCommand } from "./cli/search.ts"
import { writeDemo } from "./demo/demo.ts"
import { notice } from "./info.ts"
import { localPorts } from "./local.ts"
import { serve } from "./serve.ts"

/** `npm start`: the main job on what is there, or on a demo cohort of phantoms when nothing is, and then the server. */
const data = "./.voxkin"

async function demo(): Promise<void> {
  const out = output(false)
  const ports = localPorts({ data })
  try {
    if ((await cohortNames(ports.objects)).length > 0) return
    out.remark(
      "There is no data of yours yet: making a demo cohort of procedurally generated CT phantoms (no patients).",
    )
    const folder = join(data, "demo")
    await mkdir(folder, { recursive: true })
    const { paths, csv } = await writeDemo(folder)
    await add(paths, { cohort: "demo", metadata: csv, explicitEncoder: false }, ports, out)
    const now = ports.now()
    const published = await publish(ports.objects, { cohort: "demo", now })
    out.remark(`published ${published.snapshot}: ${published.count} series, ${published.engine}`)
    out.remark(`\nvoxkin search ${paths[0]} --cohort demo -k 3`)
    await searchCommand(paths[0], { cohort: "demo", k: 3 }, ports, out)
    out.remark("\nvoxkin probe fit region --cohort demo --label region --task classification")
    const record = await fitProbe(ports.objects, {
      name: "region",
      cohort: "demo",
      label: "region",
      task: "classification",
      now,
    })
    out.remark(describe(record))
    out.remark(
      [
        "",
        "To add scans of your own (NIfTI files, DICOM folders, zips):",
        "  npx voxkin add PATH… --cohort mine && npx voxkin publish mine",
        "  npx voxkin search PATH --cohort mine -k 5",
        "",
      ].join("\n"),
    )
  } finally {
    await ports.close()
  }
}

try {
  process.stderr.write(`voxkin. ${notice}\n`)
  await demo()
  await serve({ data, host: "127.0.0.1", port: 8787 })
} catch (thrown) {
  process.exitCode = fail(thrown, false)
}
