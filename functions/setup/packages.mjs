import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { withLock } from "./lock.mjs"
import { quietly, tail } from "./quietly.mjs"

/**
 * What a compiled package depends on. Not Node's version: hnswlib-node is built on Node-API, whose ABI is stable.
 * `compiler`: node-gyp would find make, a C++ compiler and Python.
 */
export function thisMachine(path = process.env.PATH ?? "") {
  const found = (...names) =>
    path.split(delimiter).some((dir) => names.some((name) => existsSync(join(dir, name))))
  return {
    platform: process.platform,
    arch: process.arch,
    compiler: found("make", "gmake") && found("g++", "c++", "clang++") && found("python3", "python"),
  }
}

/**
 * Why `npm ci` has to run in `root`, or undefined where everything is in place. Reads two files and asks nobody:
 * npm writes node_modules/.package-lock.json last, so an install that was cut off has none; our note of the
 * machine lies beside it.
 */
export function staleness(root, machine) {
  const wanted = readJson(join(root, "package-lock.json")).packages
  const modules = join(root, "node_modules")
  const installed = readJson(join(modules, ".package-lock.json"))?.packages
  if (!installed) return "nothing is installed yet"

  for (const [path, { version, integrity, optional }] of Object.entries(wanted)) {
    if (path === "") continue
    const found = installed[path]
    if (!found && optional) continue
    if (found?.version !== version || found.integrity !== integrity || !existsSync(join(root, path))) {
      return `${path.replace("node_modules/", "")} is missing or another version`
    }
  }
  const built = readJson(join(modules, ".voxkin-machine.json"))
  if (built && (built.platform !== machine.platform || built.arch !== machine.arch)) {
    return `the packages were installed for ${built.platform} ${built.arch}`
  }
  // A build that failed with a compiler there is not tried again at each start.
  const hnsw = existsSync(join(modules, "hnswlib-node/build/Release/addon.node"))
  if (!hnsw && machine.compiler && !built?.compiler) return "hnswlib-node can be compiled now"
}

/** Installs what is missing or stale. @throws Error that tells what npm said */
export async function ensurePackages(root, log) {
  const machine = thisMachine()
  if (!staleness(root, machine)) return
  const install = async (onStart) => {
    const why = staleness(root, machine)
    if (!why) return
    process.stderr.write(`${why}\n`)
    const args = [...npm(), "ci", "--no-audit", "--no-fund", "--loglevel=warn"]
    const env = installEnvironment()
    const code = await quietly("installing packages (npm ci)", args, { cwd: root, env, log, onStart })
    if (code !== 0) throw new Error(`npm ci failed (exit ${code}):\n${tail(log, root)}`)
    writeFileSync(join(root, "node_modules/.voxkin-machine.json"), JSON.stringify(machine))
  }
  await withLock(join(root, ".setup/lock"), install, () =>
    process.stderr.write("another set-up of this checkout is running: waiting for it\n"),
  )
}

/** node-gyp takes Node's headers from beside the running Node, where they lie there, and so downloads none. */
export function installEnvironment(execPath = process.execPath, env = process.env) {
  const prefix = dirname(dirname(execPath))
  const headers = existsSync(join(prefix, "include/node/node.h"))
  return {
    ...env,
    ONNXRUNTIME_NODE_INSTALL: "skip",
    ...(headers && { npm_config_nodedir: prefix }),
  }
}

/** The npm that started us, otherwise the one on PATH. */
function npm() {
  const script = process.env.npm_execpath
  return script?.endsWith("npm-cli.js") ? [process.execPath, script] : ["npm"]
}

/** undefined where the file is absent or was cut off. */
function readJson(file) {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, "utf8"))
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}
