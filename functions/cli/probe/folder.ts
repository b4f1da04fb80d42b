import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { Fault, reason } from "#shared/errors.ts"
import type { ReadFile } from "#shared/probe/exchange/check.ts"

/** Writes files into a folder that is new or empty: it is there with all of them, or not at all. */
export function writeFolder(folder: string, files: Map<string, Uint8Array>): void {
  const part = `${resolve(folder)}.${process.pid}.part`
  const refused = (why: string, cause?: unknown) => {
    const message = `cannot write ${folder} (${why}): name a folder that is new or empty, with room in it`
    return new Fault("invalid", "cannot-write", message, { cause })
  }
  if (isFilled(folder)) throw refused("something is there")
  try {
    mkdirSync(dirname(part), { recursive: true })
    mkdirSync(part)
    for (const [name, bytes] of files) writeFileSync(join(part, name), bytes)
    renameSync(part, folder)
  } catch (cause) {
    rmSync(part, { recursive: true, force: true })
    throw refused(reason(cause), cause)
  }
}

function isFilled(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found !== undefined && !(found.isDirectory() && readdirSync(path).length === 0)
}

/** Reads plain files of a folder by name, no links and nothing below. */
export function folderReader(folder: string): ReadFile {
  return async (name, mostBytes) => {
    const path = join(folder, name)
    const bad = (what: string, cause?: unknown) => {
      const message = `${path} ${what}: name a folder that voxkin probe export made`
      return new Fault("invalid", "bad-export", message, { cause })
    }
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (!found?.isFile()) throw bad(found ? "is no plain file" : "is not there")
    if (found.size > mostBytes) {
      throw new Fault(
        "too_large",
        "export-too-large",
        `${path} has ${found.size} bytes: at most ${mostBytes}`,
      )
    }
    try {
      return readFileSync(path)
    } catch (cause) {
      throw bad(`cannot be read (${reason(cause)})`, cause)
    }
  }
}
