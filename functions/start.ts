import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { cohortNames } from "#shared/cohort/cohort.ts"
import { memberSeries } from "#shared/cohort/members.ts"
import { Fault, reason } from "#shared/errors.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { add } from "./cli/add.ts"
import { bar, fail, output } from "./cli/output.ts"
import { describe } from "./cli/probe/describe.ts"
import { searchCommand } from "./cli/search.ts"
import { demoSeries, writeDemo } from "./demo/demo.ts"
import { notice } from "./info.ts"
import { localPorts } from "./local.ts"
import { serve } from "./serve.ts"

/** `npm start`: the main job on a demo cohort of phantoms while there is nothing else, and then the server. */
const data = "./.voxkin"
const cohort = "demo"
const name = "region"

/** A demo that was stopped half way is taken up again: each of its steps does only what is not done yet. */
async function wantsDemo(objects: ObjectStore): Promise<boolean> {
  if ((await cohortNames(objects)).some((other) => other !== cohort)) return false
  return !((await objects.has(keys.current(cohort))) && (await objects.has(keys.probeCurrent(name))))
}

async function demo(): Promise<void> {
  const out = output(false)
  const ports = localPorts({ data })
  try {
    if (!(await wantsDemo(ports.objects))) return
    out.remark(
      `There are no scans of yours yet, so this makes a small cohort to look at, "${cohort}": ${demoSeries.length} procedurally\ngenerated CT phantoms, no patients. Drawing them takes some ten seconds.`,
    )
    const folder = join(data, "demo")
    await mkdir(folder, { recursive: true })
    const { paths, csv } = await writeDemo(folder, demoSeries, (done) =>
      out.progress(bar(done, demoSeries.length, "phantoms drawn")),
    )
    shown(`add ${folder} --cohort ${cohort} --metadata ${csv}`)
    await add(paths, { cohort, metadata: csv, explicitEncoder: false }, ports, out)
    const now = ports.now()
    shown(`publish ${cohort}`)
    const { snapshot, count, engine } = await publish(ports.objects, { cohort, now })
    out.remark(`${snapshot}: ${count} series, ${engine}`)
    shown(`search ${paths[0]} --cohort ${cohort} -k 3`)
    await searchCommand(paths[0], { cohort, k: 3 }, ports, out)
    shown(`probe fit ${name} --cohort ${cohort} --label region --task classification`)
    const fit = { name, cohort, label: "region", task: "classification", now } as const
    out.remark(describe(await fitProbe(ports.objects, fit)))
  } finally {
    await ports.close()
  }

  /** What follows could have been typed. */
  function shown(command: string): void {
    out.remark(`\n$ npx voxkin ${command}`)
  }
}

async function holdings(): Promise<string> {
  const { objects, close } = localPorts({ data })
  const cohorts = await Promise.all(
    (await cohortNames(objects)).map(
      async (each) => `${each} (${(await memberSeries(objects, each)).length} series)`,
    ),
  )
  await close()
  return `${data} holds ${cohorts.join(", ")}`
}

/** `npm start -- --port 9000` */
function portOf(args: string[]): number {
  try {
    return Number(parseArgs({ args, options: { port: { type: "string", default: "8787" } } }).values.port)
  } catch (cause) {
    const message = `npm start takes nothing but -- --port N: ${reason(cause)}`
    throw new Fault("invalid", "bad-arguments", message, { cause })
  }
}

const help = `
Scans of your own (NIfTI files, DICOM folders, zips):
  npx voxkin add PATH… --cohort mine
  npx voxkin publish mine
  npx voxkin search PATH --cohort mine -k 5
`

try {
  const port = portOf(process.argv.slice(2))
  process.stderr.write(`voxkin. ${notice}\n`)
  await demo()
  process.stderr.write(`\n${await holdings()}.\n${help}\n`)
  await serve({ data, host: "127.0.0.1", port })
} catch (thrown) {
  process.exitCode = fail(thrown, false)
}
