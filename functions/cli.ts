import { Command, CommanderError, InvalidArgumentError, Option } from "commander"
import { CohortName, ProbeName } from "#shared/ids.ts"
import { endWithReader } from "./cli/end.ts"
import { fail, failArguments } from "./cli/output.ts"
import { checkData, run, type SharedOptions } from "./cli/run.ts"
import { notice, version } from "./info.ts"

function checked(schema: typeof CohortName | typeof ProbeName) {
  return (text: string) => {
    const parsed = schema.safeParse(text)
    if (!parsed.success) throw new InvalidArgumentError(parsed.error.issues[0].message)
    return parsed.data
  }
}

function whole(text: string): number {
  const value = Number(text)
  if (text.trim() === "" || !Number.isInteger(value))
    throw new InvalidArgumentError("it must be a whole number")
  return value
}

function times(text: string): number[] {
  const values = text.split(",").map((time) => (time.trim() === "" ? Number.NaN : Number(time)))
  if (!values.every(Number.isFinite)) throw new InvalidArgumentError("it must be numbers with commas between")
  return values
}

function port(text: string): number {
  const value = whole(text)
  if (value < 0 || value > 65_535) throw new InvalidArgumentError("a port is a number from 0 (any) to 65535")
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

command("add", "embed CT series and put them into a cohort; what is there already is not done again")
  .argument("<path...>", "NIfTI files, DICOM folders or files, zips, or folders of all of these")
  .requiredOption("--cohort <name>", "required: the cohort; made when it is new", cohortName)
  .option(
    "--metadata <file.csv>",
    "columns for the series, joined by a column `source` (path as given) or `series`",
  )
  .addOption(encoderOption())
  .action(async (paths: string[], o: SharedOptions & { cohort: string; metadata?: string }) => {
    const { add } = await import("./cli/add.ts")
    await run(o, async (ports, out) => {
      const counts = await add(paths, { ...o, explicitEncoder: o.encoder !== undefined }, ports, out)
      if (!out.json) out.remark(`next: npx voxkin publish ${o.cohort}`)
      return counts.rejected > 0 ? 1 : 0
    })
  })

command("publish", "make a cohort's snapshot and let searches use it")
  .argument("<cohort>", "its name", cohortName)
  .option("--force", "make it live whatever the promotion gate says against it")
  .action(async (cohort: string, o: SharedOptions & { force?: boolean }) => {
    const { publishCommand } = await import("./cli/publish.ts")
    await run(o, (ports, out) => publishCommand({ cohort, force: o.force }, ports, out))
  })

command("rollback", "make an earlier snapshot of a cohort live again")
  .argument("<cohort>", "its name", cohortName)
  .option("--to <snapshot>", "which; the newest whole one before the live one when left out")
  .action(async (cohort: string, o: SharedOptions & { to?: string }) => {
    const { rollbackCommand } = await import("./cli/rollback.ts")
    await run(o, (ports, out) => rollbackCommand({ cohort, to: o.to }, ports, out))
  })

command("search", "the cases most like this one")
  .argument("<query>", "a series id, or a path to a scan")
  .requiredOption("--cohort <name>", "required: where to look", cohortName)
  .requiredOption("-k, --k <count>", "required: how many neighbors", whole)
  .option("--filter <expression>", "only those that pass, as in 'age>=50 & sex=F'")
  .option("--exact", "demand the exact answer")
  .action(
    async (
      query: string,
      o: SharedOptions & { cohort: string; k: number; filter?: string; exact?: boolean },
    ) => {
      const { searchCommand } = await import("./cli/search.ts")
      await run(o, (ports, out) => searchCommand(query, o, ports, out))
    },
  )

command("encode", "write the features of one scan to a file")
  .argument("<path>", "a NIfTI file, or a DICOM folder or zip that holds one series")
  .requiredOption("--out <file.safetensors>", "required: the file to write")
  .addOption(encoderOption())
  .action(async (path: string, o: SharedOptions & { out: string }) => {
    const { encodeCommand } = await import("./cli/encode.ts")
    await run(o, (ports, out) => encodeCommand(path, o.out, ports, out))
  })

const probe = program.command("probe").description("small heads on cached features: fit, predict, show")
command("fit", "fit a linear probe and measure it by cross-validation", probe)
  .argument("<name>", "the probe's name", probeName)
  .requiredOption("--cohort <name>", "required: whose series and labels", cohortName)
  .addOption(
    new Option("--task <task>", "required")
      .choices(["classification", "regression", "survival"])
      .makeOptionMandatory(),
  )
  .option("--label <column>", "of classification and regression: the column to predict")
  .option("--time <column>", "of survival: the time to the event, or to where the series was lost from sight")
  .option("--event <column>", "of survival: whether the time is that of the event (1 or true, 0 or false)")
  .option("--unit <words>", "of the numbers or times, as in ml or days")
  .addOption(new Option("--pooling <features>", "which pooled features").choices(["cls", "mean", "both"]))
  .addOption(new Option("--seed <n>", "of folds and bootstrap").argParser(whole))
  .action(
    async (name: string, o: SharedOptions & Omit<import("#shared/probe/request.ts").FitRequest, "name">) => {
      const { fitCommand } = await import("./cli/probe.ts")
      const { cohort, task, label, time, event, unit, pooling, seed } = o
      const request = { name, cohort, task, label, time, event, unit, pooling, seed }
      await run(o, (ports, out) => fitCommand(request, ports, out))
    },
  )
command("predict", "what the probe says of each query, or of a whole cohort", probe)
  .argument("<name>", "the probe's name", probeName)
  .argument("[query...]", "series ids, or paths to scans")
  .option("--cohort <name>", "all its series: the answers are kept, for searches to filter by", cohortName)
  .option(
    "--times <list>",
    "of a survival probe: where to tell the probability of survival, as in 365,730",
    times,
  )
  .action(
    async (name: string, queries: string[], o: SharedOptions & { cohort?: string; times?: number[] }) => {
      const { predictCommand } = await import("./cli/probe.ts")
      const { cohort, times } = o
      await run(o, (ports, out) => predictCommand(name, { queries, cohort, times }, ports, out))
    },
  )
command("show", "what the probe is and how well it did", probe)
  .argument("<name>", "the probe's name", probeName)
  .action(async (name: string, o: SharedOptions) => {
    const [{ getProbe }, { describe }] = await Promise.all([
      import("#shared/probe/predict.ts"),
      import("./cli/probe.ts"),
    ])
    await run(o, async (ports, out) => out.result(await getProbe(ports.objects, name), describe))
  })

command("serve", "answer over HTTP")
  .option("--port <port>", "where to listen; 0 takes a free one", port, 8787)
  .option("--host <host>", "other than loopback only with an API key", "127.0.0.1")
  .option(
    "--api-key-file <file>",
    "a file whose one line is the key that callers must send as a bearer token",
  )
  .addOption(encoderOption())
  .action(async (o: SharedOptions & { port: number; host: string; apiKeyFile?: string }) => {
    const { serve } = await import("./serve.ts")
    await checkData(o.data)
    await serve(o)
  })

command("info", "version, encoder, recipe, engines and counts")
  .addOption(encoderOption())
  .action(async (o: SharedOptions) => {
    const { infoCommand } = await import("./cli/info.ts")
    await run(o, (_, out) => infoCommand(o, out))
  })

command("jobs", "the jobs that the server ran or runs").action(async (o: SharedOptions) => {
  const { jobsCommand } = await import("./cli/jobs.ts")
  await run(o, (ports, out) => jobsCommand(o, ports, out))
})

endWithReader()
try {
  await program.parseAsync()
} catch (thrown) {
  const json = process.argv.includes("--json")
  if (thrown instanceof CommanderError) process.exitCode = failArguments(thrown, json)
  else process.exitCode = fail(thrown, json)
}
