import { renameSync, rmSync, writeFileSync } from "node:fs"
import { access, constants } from "node:fs/promises"
import { dirname } from "node:path"
import { Fault, reason } from "#shared/errors.ts"

/** Said before the minutes that encoding may take, not after. */
export async function checkFolder(file: string): Promise<void> {
  try {
    await access(dirname(file), constants.W_OK)
  } catch (cause) {
    throw cannotWrite(file, cause)
  }
}

/** A file is there whole, or not at all: a signal comes before the writing or after it. */
export function writeWhole(file: string, bytes: Uint8Array): void {
  const part = `${file}.${process.pid}.part`
  try {
    writeFileSync(part, bytes)
    renameSync(part, file)
  } catch (cause) {
    rmSync(part, { force: true })
    throw cannotWrite(file, cause)
  }
}

function cannotWrite(file: string, cause: unknown): Fault {
  const message = `cannot write ${file} (${reason(cause)}): name a file in a folder that is there, with room in it`
  return new Fault("invalid", "cannot-write", message, { cause })
}
