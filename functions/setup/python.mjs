import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { withLock } from "./lock.mjs"
import { quietly, tail } from "./quietly.mjs"

const probe = `
import sys, venv, ensurepip
print("%d.%d" % sys.version_info[:2])
`

/** "3.12" for a Python that can make virtual environments, otherwise undefined. */
export function pythonVersion(program) {
  const { status, stdout } = spawnSync(program, ["-c", probe], { encoding: "utf8" })
  return status === 0 ? stdout.trim() : undefined
}

export const atLeast311 = (version) => {
  const [major, minor] = version.split(".").map(Number)
  return major === 3 && minor >= 11
}

/** A Python of at least 3.11 on PATH. A name may be there and not run (pyenv's shims), so each is asked. */
export function findPython(names = ["python3.13", "python3.12", "python3.11", "python3"]) {
  return names.find((name) => {
    const version = pythonVersion(name)
    return version !== undefined && atLeast311(version)
  })
}

/** What the environment must equal to be left alone. */
export function venvStamp(version, requirements) {
  return `python ${version}, requirements ${createHash("sha256").update(requirements).digest("hex")}\n`
}

/**
 * Makes `.venv` with training/requirements.txt in it, unless it is there already.
 * @returns its Python, or undefined where the machine has no Python ≥ 3.11 with venv
 * @throws Error that tells what venv or pip said
 */
export async function ensurePython(root, log) {
  const requirements = join(root, "training/requirements.txt")
  const stamp = join(root, ".venv/.voxkin-stamp")
  const python = join(root, ".venv/bin/python")
  const fresh = () => {
    const version = existsSync(python) && pythonVersion(python)
    const same =
      version &&
      existsSync(stamp) &&
      readFileSync(stamp, "utf8") === venvStamp(version, readFileSync(requirements))
    return { version, same }
  }
  if (fresh().same) return python
  const base = findPython()
  if (!base) return undefined

  const run = async (title, command, onStart) => {
    const code = await quietly(title, command, { cwd: root, env: process.env, log, onStart })
    if (code !== 0) throw new Error(`${title} failed (exit ${code}):\n${tail(log, root)}`)
  }
  await withLock(join(root, ".setup/lock"), async (onStart) => {
    const now = fresh()
    if (now.same) return
    if (!now.version)
      await run(`making .venv (${base})`, [base, "-m", "venv", "--clear", join(root, ".venv")], onStart)
    await run("installing Python packages (pip)", pip(python, "-r", requirements), onStart)
    writeFileSync(stamp, venvStamp(pythonVersion(python), readFileSync(requirements)))
  })
  return python
}

/** Whether moto_server, against which the S3 tests run, is there or can be put into `.venv`. */
export async function ensureMoto(root, python, log) {
  const places = [...(process.env.PATH ?? "").split(delimiter), join(root, ".venv/bin")]
  if (places.some((dir) => existsSync(join(dir, "moto_server")))) return true
  const options = { cwd: root, env: process.env, log }
  return (
    (await quietly(
      "installing moto[server] for the S3 tests (pip)",
      pip(python, "moto[server]"),
      options,
    )) === 0
  )
}

function pip(python, ...what) {
  return [
    python,
    "-m",
    "pip",
    "install",
    "--quiet",
    "--no-input",
    "--disable-pip-version-check",
    "--retries",
    "1",
    ...what,
  ]
}
