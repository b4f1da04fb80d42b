import { Fault } from "#shared/errors.ts"
import { isCode } from "./owner.ts"

/** Undefined when the path, or a folder on the way to it, is not there. */
export async function ifThere<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (thrown) {
    if (isCode(thrown, "ENOENT", "ENOTDIR")) return undefined
    throw thrown
  }
}

/** Turns what the system refuses into a Fault that names the key, never a path of this machine. */
export async function naming<T>(key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof Fault || !(cause instanceof Error && "code" in cause)) throw cause
    const code = String(cause.code)
    const what = key === "" ? "the data folder" : key
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new Fault("unavailable", "disk-full", `no space left to write ${what}: free some and repeat`, {
        cause,
      })
    if (code === "EACCES" || code === "EPERM" || code === "EROFS")
      throw new Fault(
        "unavailable",
        "no-access",
        `not allowed to touch ${what} (${code}): give this user read and write access to the data folder`,
        { cause },
      )
    if (code === "EISDIR" || code === "ENOTDIR" || code === "EEXIST" || code === "ENOTEMPTY")
      throw new Fault(
        "conflict",
        "key-is-folder",
        `${what} cannot be an object and the folder of others: choose another key`,
        { cause },
      )
    throw new Fault(
      "unavailable",
      "disk-failed",
      `the disk failed at ${what} (${code}): check the data folder and repeat`,
      { cause },
    )
  }
}
