/** `npm test`: installs what is missing, runs every check, sums up. Arguments go to vitest. */
import "./node-version.mjs"
import { spawn } from "node:child_process"
import { existsSync, readFileSync, rmSync } from "node:fs"
import { delimiter, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { pytestCounts, settle, total, verdict, vitestCounts } from "./count.mjs"
import { ensurePackages } from "./packages.mjs"
import { ensureMoto, ensurePython } from "./python.mjs"

const root = resolve(fileURLToPath(import.meta.url), "../../..")
const at = (...parts) => join(root, ...parts)
const results = []

/** One step, its output shown as it comes. `report` is the file it writes, `read` takes the counts from it. */
async function step(name, command, report, read) {
  console.log(`\n── ${name}`)
  if (report) rmSync(report, { force: true })
  const started = Date.now()
  // The S3 suites look for moto_server on PATH.
  const env = { ...process.env, PATH: [process.env.PATH, at(".venv/bin")].join(delimiter) }
  const exit = await new Promise((done) => {
    const child = spawn(command[0], command.slice(1), {
      cwd: root,
      env,
      stdio: ["ignore", "inherit", "inherit"],
    })
    const stop = (signal) => child.kill(signal)
    process.on("SIGINT", stop).on("SIGTERM", stop)
    child.once("error", () => done(127))
    child.once("close", (code, signal) => {
      process.off("SIGINT", stop).off("SIGTERM", stop)
      if (signal === "SIGINT" || signal === "SIGTERM") process.exit(130)
      done(code ?? 1)
    })
  })
  const counts = report && existsSync(report) ? read(readFileSync(report, "utf8")) : undefined
  record(name, settle(exit, counts), `${((Date.now() - started) / 1000).toFixed(1)} s`)
}

function record(name, counts, remark) {
  results.push({ name, counts, remark })
}

/** Runs a part of the set-up; what it throws is a failed step, told at once. */
async function prepare(name, work) {
  try {
    return await work()
  } catch (thrown) {
    console.log(thrown.message)
    record(name, { passed: 0, failed: 1, skipped: 0 }, "failed")
    return null
  }
}

function finish() {
  console.log("")
  for (const { name, counts, remark } of results) {
    console.log(`${counts.failed > 0 ? "✗" : "✓"} ${name}: ${remark}`)
  }
  const all = total(results.map(({ counts }) => counts))
  console.log(verdict(all))
  process.exitCode = all.failed > 0 ? 1 : 0
}

async function main() {
  if ((await prepare("npm ci", () => ensurePackages(root, at(".setup/npm-ci.log")))) === null) return
  const python = await prepare("Python packages", () => ensurePython(root, at(".setup/pip.log")))
  if (python && !(await ensureMoto(root, python, at(".setup/moto.log")))) {
    console.log("moto_server cannot be installed: the S3 tests skip themselves")
  }

  const node = process.execPath
  await step("tsc", [node, at("node_modules/typescript/bin/tsc")])
  await step("biome", [node, at("node_modules/@biomejs/biome/bin/biome"), "check"])
  const json = at(".setup/vitest.json")
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${json}`]
  const vitest = [node, at("node_modules/vitest/vitest.mjs"), "run", ...reporters, ...process.argv.slice(2)]
  await step("vitest", vitest, json, (text) => vitestCounts(JSON.parse(text)))
  if (python) {
    const xml = at(".setup/pytest.xml")
    await step("pytest", [python, "-m", "pytest", "training", "-q", `--junitxml=${xml}`], xml, pytestCounts)
  } else if (python === undefined) {
    record("pytest", { passed: 0, failed: 0, skipped: 1 }, "skipped, no Python ≥ 3.11 with venv on PATH")
  }
}

await main()
finish()
