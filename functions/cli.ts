import { Command, CommanderError, Option } from "commander"
import { cohortName, command, port, whole } from "./cli/arguments.ts"
import { endWithReader } from "./cli/end.ts"
import { fail, failArguments } from "./cli/output.ts"
import { probeCommands } from "./cli/probe/commands.ts"
import { checkData, run, type SharedOptions } from "./cli/run.ts"
import { notice, version } from "./info.ts"

const program = new Command("voxkin")
  .description(`Finds a CT scan's kin: similar cases and probe predictions from frozen features.\n${notice}`)
  .version(version)
  .exitOverride()
  // Commands of probes have a --version of their own.
  .enablePositionalOptions()
  .showHelpAfterError("(voxkin --help, or voxkin COMMAND --help, tells more)")

const encoderOption = () =>
  new Option("--encoder <dir>", "folder of an exported encoder, in place of the default one")

command(program, "add", "embed CT series and put them into a cohort; what is there already is not done again")
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

command(program, "label", "give a cohort's series labels, which probes learn from; scans are not read")
  .argument("<cohort>", "its name", cohortName)
  .argument("<file.csv>", "columns, joined by a column `series` or `source` (path as given to add)")
  .action(async (cohort: string, file: string, o: SharedOptions) => {
    const { labelCommand } = await import("./cli/label.ts")
    await run(o, (ports, out) => labelCommand(cohort, file, ports, out))
  })

command(program, "publish", "make a cohort's snapshot and let searches use it")
  .argument("<cohort>", "its name", cohortName)
  .option("--encoder <dir or id>", "another encoder that is to answer for the cohort from now on")
  .option("--force", "make it live whatever the promotion gate says against it")
  .action(async (cohort: string, { encoder, ...o }: SharedOptions & { force?: boolean }) => {
    const { publishCommand } = await import("./cli/publish.ts")
    await run(o, (ports, out) => publishCommand({ cohort, encoder, force: o.force }, ports, out))
  })

command(program, "rollback", "make an earlier snapshot of a cohort live again")
  .argument("<cohort>", "its name", cohortName)
  .option("--to <snapshot>", "which; the newest whole one before the live one when left out")
  .action(async (cohort: string, o: SharedOptions & { to?: string }) => {
    const { rollbackCommand } = await import("./cli/rollback.ts")
    await run(o, (ports, out) => rollbackCommand({ cohort, to: o.to }, ports, out))
  })

command(program, "search", "the cases most like this one")
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

command(program, "encode", "write the features of one scan to a file")
  .argument("<path>", "a NIfTI file, or a DICOM folder or zip that holds one series")
  .requiredOption("--out <file.safetensors>", "required: the file to write")
  .addOption(encoderOption())
  .action(async (path: string, o: SharedOptions & { out: string }) => {
    const { encodeCommand } = await import("./cli/encode.ts")
    await run(o, (ports, out) => encodeCommand(path, o.out, ports, out))
  })

probeCommands(program)

command(program, "serve", "answer over HTTP")
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

command(program, "info", "version, encoder, recipe, engines and counts")
  .addOption(encoderOption())
  .action(async (o: SharedOptions) => {
    const { infoCommand } = await import("./cli/info.ts")
    await run(o, (_, out) => infoCommand(o, out))
  })

command(program, "jobs", "the jobs that the server ran or runs").action(async (o: SharedOptions) => {
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
