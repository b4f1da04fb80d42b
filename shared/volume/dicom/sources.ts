import { dirname, join, relative, sep } from "node:path"
import type { Slice } from "./group.ts"

/**
 * Names stacks found under one root: by the folder that holds just that stack, or `folder#N` (N from 1, in the given
 * order) where the folder holds files of others too.
 */
export function sourcesOf(stacks: Slice[][], root: string, as: string): string[] {
  const homes = stacks.map((stack) => homeOf(stack.map(({ object }) => object.path)))
  return stacks.map((_, i) => {
    const home = homes[i]
    const source = join(as, relative(root, home))
    const alone = homes.every((other, j) => j === i || !isInside(other, home))
    if (alone) return source
    const number = homes.slice(0, i + 1).filter((other) => other === home).length
    return `${source}#${number}`
  })
}

/** The deepest folder that all the files lie under. */
function homeOf(files: string[]): string {
  let home = dirname(files[0])
  for (const file of files) while (!isInside(dirname(file), home)) home = dirname(home)
  return home
}

function isInside(folder: string, other: string): boolean {
  return folder === other || folder.startsWith(other.endsWith(sep) ? other : other + sep)
}
