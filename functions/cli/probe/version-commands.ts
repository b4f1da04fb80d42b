import type { Command } from "commander"
import type { CurveRequest } from "#shared/probe/curve/record.ts"
import type { EvaluateRequest } from "#shared/probe/external/evaluation.ts"
import { cohortName, command, probeName, probeVersion, sizes, wholeFrom } from "../arguments.ts"
import { run, type SharedOptions } from "../run.ts"

/** What is done with versions of probes that are there. */
export function versionCommands(probe: Command): void {
  command(probe, "versions", "the versions of a probe, newest first")
    .argument("<name>", "the probe's name", probeName)
    .action(async (name: string, o: SharedOptions) => {
      const { versionsCommand } = await import("./versions.ts")
      await run(o, (ports, out) => versionsCommand(name, ports, out))
    })
  command(probe, "promote", "let a version answer from now on")
    .argument("<name>", "the probe's name", probeName)
    .argument("<version>", "which", probeVersion)
    .action(async (name: string, version: string, o: SharedOptions) => {
      const { promoteCommand } = await import("./promote.ts")
      await run(o, (ports, out) => promoteCommand({ name, version }, ports, out))
    })
  command(probe, "rollback", "let a version answer again that did before")
    .argument("<name>", "the probe's name", probeName)
    .option("--to <version>", "which; the last whole one before the current one when left out", probeVersion)
    .action(async (name: string, o: SharedOptions & { to?: string }) => {
      const { rollbackCommand } = await import("./rollback.ts")
      await run(o, (ports, out) => rollbackCommand({ name, to: o.to }, ports, out))
    })
  command(probe, "export", "write a version into a folder that other installations can import")
    .argument("<name>", "the probe's name", probeName)
    .requiredOption("--out <folder>", "required: a folder, new or empty")
    .option("--version <version>", "which; the one that answers when left out", probeVersion)
    .action(async (name: string, o: SharedOptions & { out: string; version?: string }) => {
      const { exportCommand } = await import("./export.ts")
      const { version, out: folder } = o
      await run(o, (ports, out) => exportCommand({ name, version, folder }, ports, out))
    })
  command(probe, "import", "keep a version that another installation exported")
    .argument("<folder>", "what probe export wrote")
    .option("--as <name>", "the probe's name here; its own when left out", probeName)
    .option("--no-promote", "keep it as a candidate")
    .action(async (folder: string, o: SharedOptions & { as?: string; promote: boolean }) => {
      const { importCommand } = await import("./import.ts")
      const { as, promote } = o
      await run(o, (ports, out) => importCommand({ folder, as, promote }, ports, out))
    })
  command(probe, "eval", "measure a probe on another cohort, without what it was trained on")
    .argument("<name>", "the probe's name", probeName)
    .requiredOption("--cohort <name>", "required: whose series and labels", cohortName)
    .option("--version <version>", "which; the one that answers when left out", probeVersion)
    .option("--label <column>", "in place of the column that was learned")
    .option("--time <column>", "of survival: in place of the column of times")
    .option("--event <column>", "of survival: in place of the column of events")
    .option("--unit <words>", "of the cohort's numbers or times, where it is stated")
    .option("--seed <n>", "of the bootstrap", wholeFrom(0, Number.MAX_SAFE_INTEGER))
    .action(async (name: string, o: SharedOptions & Omit<EvaluateRequest, "name">) => {
      const { evalCommand } = await import("./eval.ts")
      const { cohort, version, label, time, event, unit, seed } = o
      const request = { name, cohort, version, label, time, event, unit, seed }
      await run(o, (ports, out) => evalCommand(request, ports, out))
    })
  command(probe, "learning-curve", "how well the probe would do with fewer patients to learn from")
    .argument("<name>", "the probe's name", probeName)
    .option("--version <version>", "which; the one that answers when left out", probeVersion)
    .option("--sizes <list>", "numbers of patients, beside all; by default 5,10,20,50,…", sizes)
    .option("--repeats <n>", "how often each number is drawn, 5 by default", wholeFrom(1, 50))
    .action(async (name: string, o: SharedOptions & Omit<CurveRequest, "name">) => {
      const { learningCurveCommand } = await import("./learning-curve.ts")
      const { version, sizes, repeats } = o
      await run(o, (ports, out) => learningCurveCommand({ name, version, sizes, repeats }, ports, out))
    })
}
