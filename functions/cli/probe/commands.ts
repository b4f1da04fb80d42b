import { type Command, InvalidArgumentError, Option } from "commander"
import {
  cohortName,
  command,
  neighborCount,
  numbers,
  penalty,
  probeName,
  probeVersion,
  wholeFrom,
} from "../arguments.ts"
import { run, type SharedOptions } from "../run.ts"
import { versionCommands } from "./version-commands.ts"

/** Everything below `voxkin probe`. */
export function probeCommands(program: Command): void {
  const probe = program
    .command("probe")
    .description("small heads on cached features: fit, predict, measure, promote, exchange")
  command(probe, "fit", "fit a linear probe, or one by neighbors, and measure it by cross-validation")
    .argument("<name>", "the probe's name", probeName)
    .requiredOption("--cohort <name>", "required: whose series and labels", cohortName)
    .addOption(
      new Option("--task <task>", "required")
        .choices(["classification", "regression", "survival", "knn"])
        .makeOptionMandatory(),
    )
    .option(
      "--label <column...>",
      "of classification, regression and knn: the column to predict; several of two classes each make a panel",
    )
    .option(
      "--time <column>",
      "of survival, or knn in place of a label: the time to the event, or to where the series was lost from sight",
    )
    .option("--event <column>", "with --time: whether it is that of the event (1 or true, 0 or false)")
    .option(
      "--neighbors <k>",
      "of knn: how many answer; by default chosen by cross-validation",
      neighborCount,
    )
    .option("--unit <words>", "of the numbers or times, as in ml or days")
    .addOption(new Option("--pooling <features>", "which pooled features").choices(["cls", "mean", "both"]))
    .option(
      "--penalty <number>",
      "of a linear head's weights; by default chosen by cross-validation",
      penalty,
    )
    .option("--folds <n>", "of the evaluation, 5 by default", wholeFrom(2, 20))
    .option("--seed <n>", "of folds and bootstrap", wholeFrom(0, Number.MAX_SAFE_INTEGER))
    .option("--no-promote", "make it a candidate: the version that answers goes on answering")
    .action(
      async (
        name: string,
        o: SharedOptions &
          Omit<import("#shared/probe/request.ts").FitRequest, "name" | "label"> & { label?: string[] },
      ) => {
        const { cohort, task, time, event, neighbors, unit, pooling, penalty, folds, seed, promote } = o
        const shared = { name, cohort, pooling, penalty, folds, seed }
        const labels = o.label ?? []
        if (labels.length > 1) {
          const { fitPanelCommand } = await import("./panel.ts")
          checkPanel({ task, time, event, neighbors, unit, promote })
          await run(o, (ports, out) => fitPanelCommand({ ...shared, labels }, ports, out))
          return
        }
        const { fitCommand } = await import("./fit.ts")
        const request = { ...shared, task, label: labels.at(0), time, event, neighbors, unit, promote }
        await run(o, (ports, out) => fitCommand(request, ports, out))
      },
    )
  command(probe, "predict", "what the probe says of each query, or of a whole cohort")
    .argument("<name>", "the probe's name", probeName)
    .argument("[query...]", "series ids, or paths to scans")
    .option("--cohort <name>", "all its series: the answers are kept, for searches to filter by", cohortName)
    .option("--version <version>", "which; the one that answers when left out", probeVersion)
    .option(
      "--times <list>",
      "of a survival probe: where to tell the probability of survival, as in 365,730",
      numbers,
    )
    .action(
      async (
        name: string,
        queries: string[],
        o: SharedOptions & { cohort?: string; version?: string; times?: number[] },
      ) => {
        const { predictCommand } = await import("./predict.ts")
        const { cohort, version, times } = o
        await run(o, (ports, out) => predictCommand(name, { queries, cohort, version, times }, ports, out))
      },
    )
  command(probe, "plots", "write the plots of its out-of-fold predictions, as SVG")
    .argument("<name>", "the probe's name", probeName)
    .requiredOption("--out <dir>", "required: the folder to write them into")
    .option("--version <version>", "which; the one that answers when left out", probeVersion)
    .action(async (name: string, o: SharedOptions & { out: string; version?: string }) => {
      const { plotsCommand } = await import("./plots.ts")
      const { version, out: folder } = o
      await run(o, (ports, out) => plotsCommand({ name, version, folder }, ports, out))
    })
  command(probe, "explain", "draw which places of a scan a linear probe's score comes from, as SVG slices")
    .argument("<name>", "the probe's name", probeName)
    .argument("<scan>", "a path to a scan")
    .requiredOption("--out <file.svg>", "required: the file to write")
    .option("--version <version>", "which; the one that answers when left out", probeVersion)
    .option(
      "--keep",
      "keep it with the version's plots too, where it can be asked for (it shows the patient)",
    )
    .action(
      async (
        name: string,
        scan: string,
        o: SharedOptions & { out: string; version?: string; keep?: true },
      ) => {
        const { explainCommand } = await import("./explain.ts")
        const { version, out: file, keep = false } = o
        await run(o, (ports, out) => explainCommand(scan, { name, version, file, keep }, ports, out))
      },
    )
  command(probe, "show", "what the probe is and how well it did, on other cohorts too")
    .argument("<name>", "the probe's name", probeName)
    .option("--version <version>", "which; the one that answers when left out", probeVersion)
    .action(async (name: string, o: SharedOptions & { version?: string }) => {
      const { showCommand } = await import("./show.ts")
      await run(o, (ports, out) => showCommand({ name, version: o.version }, ports, out))
    })
  versionCommands(probe)
}

/** A panel has labels of two classes, and nothing that goes with other tasks. */
function checkPanel({ task, promote, ...others }: Record<string, unknown>): void {
  const given = Object.keys(others).filter((option) => others[option] !== undefined)
  if (task === "classification" && promote !== false && given.length === 0) return
  const what = [...given, ...(promote === false ? ["no-promote"] : [])]
    .map((option) => `--${option}`)
    .join(", ")
  throw new InvalidArgumentError(
    `several labels make a panel, which is of --task classification${what ? ` and takes no ${what}` : ""}`,
  )
}
