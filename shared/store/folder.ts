import { mkdir } from "node:fs/promises"
import { dirname } from "node:path"
import { isCode } from "./owner.ts"

/**
 * Makes a folder and those above it. Not `mkdir` with `recursive`: Node's climbs and tries again for ever where a
 * file system answers ENOENT although the folder above is there (as /proc does); this one gives up and says so.
 */
export async function makeFolder(path: string): Promise<void> {
  if (await isMade(path)) return
  const above = dirname(path)
  if (above !== path) await makeFolder(above)
  await mkdir(path).catch((thrown) => {
    if (!isCode(thrown, "EEXIST")) throw thrown
  })
}

/** False only where a folder above is not there. @throws whatever else the file system answers */
async function isMade(path: string): Promise<boolean> {
  try {
    await mkdir(path)
  } catch (thrown) {
    if (isCode(thrown, "ENOENT")) return false
    // A file in its place is found by whoever writes into it.
    if (!isCode(thrown, "EEXIST")) throw thrown
  }
  return true
}
