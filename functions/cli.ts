import { Command, CommanderError, InvalidArgumentError, Option } from "commander"
import { CohortName, ProbeName } from "#shared/ids.ts"
import { fail, type Output, output } from "./cli/output.ts"
import { notice, version } from "./info.ts"
import { type LocalOptions, localPorts } from "./local.ts"
import type { JobPorts } from "./ports.ts"

interface Shared extends LocalOptions {
  json?: boolean
}

/** Runs a command on local ports; turns whatever it throws into words and an exit code. */
async function run(options: Shared, work: (ports: JobPorts, out: Output) => Promise<unknown>) {
  const out = output(options.json ?? false)
  const ports = localPorts(options)
  try {
    const code = await work(ports, out)
    process.exitCode = typeof code === "number" ? code : 0
  } catch (thrown) {
    out.progress("")
    process.exitCode = fail(thrown, out.json)
  } finally {
    await ports.close()
  }
}

function checked(schema: typeof CohortName | typeof ProbeName) {
  return (text: string) => {
    const parsed = schema.safeParse(text)
    if (!parsed.success) throw new InvalidArgumentError(parsed.error.issues[0].message)
    return parsed.data
  }
}

function whole(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value)) throw new InvalidArgumentError("it must be a whole number")
  return value
}

const cohortName = checked(CohortName)
const probeName = checked(ProbeName)
const program = new Command("voxkin")
  .description(`Finds a CT scan's kin: similar cases and probe predictions from frozen features.\n${notice}`)
  .version(version)
  .exitOverride()
  .showHelpAfterError("(voxkin --help, or voxkin COMMAND --help, tells more)")

/** A command with the options that all of them take. */
function command(usage: string, description: string, parent = program): Command {
  return parent
    .command(usage)
    .description(description)
    .option("--data <dir>", "the folder that holds everything voxkin keeps", "./.voxkin")
    .option("--json", "machine-readable lines, and nothing else, on stdout")
}

const encoderOption = () =>
  new Option("--encoder <dir>", "folder of an exported encoder, in place of the default one")

command("add", "embed CT series (NIfTI, DICOM folders, zips) and put them into a cohort")
  .argument("<path...>")
  .requiredOption("--cohort <name>", "the cohort; made when it is new", cohortName)
  .option(
    "--metadata <file.csv>",
    "columns for the series, joined by a column `source` (path as given) or `series`",
  )
  .addOption(encoderOption())
  .action(async (paths: string[], o: Shared & { cohort: string; metadata?: string }) => {
    const { add } = await import("./cli/add.ts")
    await run(o, (ports, out) => add(paths, { ...o, explicitEncoder: o.encoder !== undefined }, ports, out))
  })

command("publish", "make a cohort's snapshot and let searches use it")
  .argument("<cohort>", "", cohortName)
  .action(async (cohort: string, o: Shared) => {
    const { publishCommand } = await import("./cli/publish.ts")
    await run(o, (ports, out) => publishCommand(cohort, ports, out))
  })

command("search", "the cases most like this one")
  .argument("<query>", "a series id, or a path to a scan")
  .requiredOption("--cohort <name>", "where to look", cohortName)
  .requiredOption("-k, --k <count>", "how many neighbors", whole)
  .option("--filter <expression>", "only those that pass, as in 'age>=50 & sex=F'")
  .option("--exact", "demand the exact answer")
  .action(
    async (query: string, o: Shared & { cohort: string; k: number; filter?: string; exact?: boolean }) => {
      const { searchCommand } = await import("./cli/search.ts")
      await run(o, (ports, out) => searchCommand(query, o, ports, out))
    },
  )

command("encode", "write the features of one scan to a file")
  .argument("<path>")
  .requiredOption("--out <file.safetensors>")
  .addOption(encoderOption())
  .action(async (path: string, o: Shared & { out: string }) => {
    const { encodeCommand } = await import("./cli/encode.ts")
    await run(o, (ports, out) => encodeCommand(path, o.out, ports, out))
  })

const probe = program.command("probe").description("small heads on cached features: fit, predict, show")
command("fit", "fit a linear probe and measure it by cross-validation", probe)
  .argument("<name>", "", probeName)
  .requiredOption("--cohort <name>", "whose series and labels", cohortName)
  .requiredOption("--label <column>", "the column to predict")
  .addOption(new Option("--task <task>").choices(["classification", "regression"]).makeOptionMandatory())
  .addOption(new Option("--pooling <features>", "which pooled features").choices(["cls", "mean", "both"]))
  .addOption(new Option("--seed <n>", "of folds and bootstrap").argParser(whole))
  .action(async (name: string, o: Shared & Omit<import("#shared/probe/fit.ts").FitRequest, "name">) => {
    const { fitCommand } = await import("./cli/probe.ts")
    const { cohort, label, task, pooling, seed } = o
    await run(o, (ports, out) => fitCommand({ name, cohort, label, task, pooling, seed }, ports, out))
  })
command("predict", "what the probe says of each query", probe)
  .argument("<name>", "", probeName)
  .argument("<query...>", "series ids, or paths to scans")
  .action(async (name: string, queries: string[], o: Shared) => {
    const { predictCommand } = await import("./cli/probe.ts")
    await run(o, (ports, out) => predictCommand(name, queries, ports, out))
  })
command("show", "what the probe is and how well it did", probe)
  .argument("<name>", "", probeName)
  .action(async (name: string, o: Shared) => {
    const [{ getProbe }, { describe }] = await Promise.all([
      import("#shared/probe/predict.ts"),
      import("./cli/probe.ts"),
    ])
    await run(o, async (ports, out) => out.result(await getProbe(ports.objects, name), describe))
  })

command("serve", "answer over HTTP")
  .option("--port <port>", "", whole, 8787)
  .option("--host <host>", "other than loopback only with an API key", "127.0.0.1")
  .option(
    "--api-key-file <file>",
    "a file whose one line is the key that callers must send as a bearer token",
  )
  .addOption(encoderOption())
  .action(async (o: Shared & { port: number; host: string; apiKeyFile?: string }) => {
    const { serve } = await import("./serve.ts")
    await run(o, () => serve(o))
  })

command("info", "version, encoder, recipe, engines and counts")
  .addOption(encoderOption())
  .action(async (o: Shared) => {
    const { infoCommand } = await import("./cli/info.ts")
    await run(o, (_, out) => infoCommand(o, out))
  })

command("jobs", "the jobs that the server ran or runs").action(async (o: Shared) => {
  const { jobsCommand } = await import("./cli/jobs.ts")
  await run(o, (ports, out) => jobsCommand(o, ports, out))
})

try {
  await program.parseAsync()
} catch (thrown) {
  // Commander has said what is wrong with the arguments; help and version end with code 0.
  if (thrown instanceof CommanderError) process.exitCode = thrown.exitCode === 0 ? 0 : 2
  else process.exitCode = fail(thrown, process.argv.includes("--json"))
}
