import { stat } from "node:fs/promises"
import { Fault, reason } from "#shared/errors.ts"
import { type LocalOptions, localPorts } from "../local.ts"
import type { JobPorts } from "../ports.ts"
import { endAtOnce } from "./end.ts"
import { fail, type Output, output } from "./output.ts"

export interface SharedOptions extends LocalOptions {
  json?: boolean
}

/** Runs a command on local ports. Its exit code is what `work` returns, if a number, or made of what it throws. */
export async function run(
  options: SharedOptions,
  work: (ports: JobPorts, out: Output) => Promise<unknown>,
): Promise<void> {
  const out = output(options.json ?? false)
  endAtOnce(out)
  const ports = localPorts(options)
  try {
    await checkData(options.data)
    const code = await work(ports, out)
    process.exitCode = typeof code === "number" ? code : 0
  } catch (thrown) {
    out.progress("")
    process.exitCode = fail(thrown, out.json)
  } finally {
    await ports.close()
  }
}

/** A data folder that is not there yet is fine: it is made on the first write. @throws Fault `bad-data-folder` */
export async function checkData(data: string): Promise<void> {
  const bad = (why: string, cause?: unknown) =>
    new Fault("invalid", "bad-data-folder", `--data ${data} ${why}: name a folder`, { cause })
  let folder: boolean
  try {
    folder = (await stat(data)).isDirectory()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return
    throw bad(`cannot be opened (${reason(cause)})`, cause)
  }
  if (!folder) throw bad("is a file")
}
