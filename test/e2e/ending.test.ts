import { once } from "node:events"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { describe, expect, test } from "vitest"
import { ended, root, start, tempFolder, voxkin } from "#test/support/voxkin.ts"
import { zipOf } from "#test/volume/zip-writer.ts"

const nifti = (name: string) => join("test/fixtures/nifti", name)

/** How the command line ends before its work does. */
describe("a command that is ended", () => {
  test("by Ctrl-C says so, leaves nothing behind but what was finished, and goes on from there", async () => {
    const folder = tempFolder()
    const zip = join(folder, "two.zip")
    const inside = join(root, "test/fixtures/dicom/two-series")
    const files = readdirSync(inside, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    const entries = files.map((file) => ({ name: relative(inside, file), bytes: readFileSync(file) }))
    writeFileSync(zip, zipOf(entries))
    const temporary = join(folder, "tmp")
    mkdirSync(temporary)
    const args = ["add", zip, "--cohort", "c", "--data", join(folder, "data"), "--json"]

    const child = start(args, { TMPDIR: temporary })
    const run = ended(child)
    // The first of the zip's series is told: it is the second one's turn.
    if (child.stdout) await once(child.stdout, "data")
    child.kill("SIGINT")
    const { lines, stderr } = await run
    // A shell makes 130 of it.
    expect(child.signalCode).toBe("SIGINT")
    expect(stderr).toContain("stopped")
    expect(readdirSync(temporary).filter((name) => name.startsWith("voxkin"))).toEqual([])

    const again = await voxkin(...args)
    expect([lines, again.lines].map((all) => all.map(({ status }) => status))).toEqual([
      ["embedded"],
      ["already", "embedded"],
    ])
    expect(again.code).toBe(0)
  }, 60_000)

  test("by a reader that has seen enough says nothing", async () => {
    const scans = ["int16.nii.gz", "padded.nii.gz", "uint8-scaled.nii", "oblique.nii.gz"].map(nifti)
    const child = start(["add", ...scans, "--cohort", "c", "--data", tempFolder()])
    const run = ended(child)
    child.stdout?.once("data", () => child.stdout?.destroy())
    const { code, stderr } = await run
    expect(code).toBe(141)
    expect(stderr).not.toMatch(/EPIPE|rejected|bug/)
  }, 60_000)
})
