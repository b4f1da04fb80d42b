import type { Dirent, Stats } from "node:fs"
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"

/** A file that was found, and what to call it in front of the caller. */
export interface FoundFile {
  path: string
  as: string
}

export interface Walked {
  files: FoundFile[]
  /** Linked folders, sockets, broken links: named, not followed. */
  others: FoundFile[]
}

/**
 * All files under a folder, at any depth, in the order of their names. Links to files are followed, links to folders
 * are not (they may lead back up). Names that begin with "." and __MACOSX are bookkeeping of file managers: left out.
 */
export async function walk(root: string, as: string): Promise<Walked> {
  const walked: Walked = { files: [], others: [] }
  const entries = await readdir(root, { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".") || entry.name === "__MACOSX") continue
    const found = { path: join(root, entry.name), as: join(as, entry.name) }
    if (entry.isDirectory()) {
      const inside = await walk(found.path, found.as)
      for (const file of inside.files) walked.files.push(file)
      for (const other of inside.others) walked.others.push(other)
    } else if (await isFile(entry, found.path)) walked.files.push(found)
    else walked.others.push(found)
  }
  return walked
}

async function isFile(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile()
  return (await statOf(path))?.isFile() ?? false
}

/** undefined when there is nothing, or a link to nothing. */
export async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return undefined
    throw error
  }
}
