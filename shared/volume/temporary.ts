import { rmSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const made = new Set<string>()

/** A private folder for what has to be unpacked; `removeFolder` removes it, or at the latest the process's exit. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "voxkin-zip-"))
  if (made.size === 0) process.once("exit", removeAll)
  made.add(folder)
  return folder
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  made.delete(folder)
  if (made.size === 0) process.off("exit", removeAll)
}

function removeAll(): void {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
}
