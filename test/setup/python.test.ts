import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { atLeast311, findPython, venvStamp } from "#functions/setup/python.mjs"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "voxkin-python-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A program that answers as the Python of this version would, or fails as a pyenv shim does. */
function program(name: string, version?: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${version ? `echo ${version}` : "exit 127"}\n`)
  chmodSync(path, 0o755)
  return path
}

test("the first name that runs and is new enough is taken", () => {
  const shim = program("shim")
  const old = program("old", "3.10")
  const good = program("good", "3.11")
  expect(findPython([join(folder, "absent"), shim, old, good])).toBe(good)
  expect(findPython([shim, old])).toBeUndefined()
})

test("3.9 is older than 3.11, and 4 is not known to work", () => {
  expect(["3.9", "3.10", "3.11", "3.20", "4.0"].map(atLeast311)).toEqual([false, false, true, true, false])
})

test("other requirements or another Python make another stamp", () => {
  const stamps = [venvStamp("3.11", "numpy"), venvStamp("3.12", "numpy"), venvStamp("3.11", "numpy\n")]
  expect(new Set(stamps).size).toBe(3)
})
