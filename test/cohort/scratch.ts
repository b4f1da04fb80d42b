import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { diskStore } from "#shared/store/disk.ts"
import type { ObjectStore } from "#shared/store/store.ts"

/** A store in a folder of its own, gone with the test. */
export function scratchStore(): ObjectStore {
  const folder = mkdtempSync(join(tmpdir(), "voxkin-test-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return diskStore(folder)
}

export const encoder = "fake-0123456789ab"
export const now = new Date("2025-03-04T05:06:07.008Z")

/** The id of the n-th made-up series; ids sort as their numbers. */
export function seriesNo(n: number): string {
  return `s-${n.toString(16).padStart(32, "0")}`
}
