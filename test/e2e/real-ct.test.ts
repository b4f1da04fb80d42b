import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { ended, root, start, tempFolder, voxkin } from "#test/support/voxkin.ts"

const data = join(root, "../shared/data")
const absent = !existsSync(data)

/** The README's walk through real CT, by the commands it gives. Skipped where the development data is absent. */
describe.skipIf(absent)("real CT, end to end", () => {
  const validation = absent
    ? []
    : readdirSync(join(data, "openkbp/validation"))
        .filter((file) => file.endsWith("_ct.nii.gz"))
        .map((file) => join("../shared/data/openkbp/validation", file))
  const dicom = "../shared/data/dicom"
  const all = [...validation, "../shared/data/trunk", dicom]

  test("one add takes everything in, a second embeds nothing, and the DICOM series finds its 2 mm copy", async () => {
    const store = ["--data", tempFolder(), "--json"]
    const first = await voxkin("add", ...all, "--cohort", "real", ...store)
    expect(first.stderr.split("\n").filter((line) => line.includes("bug"))).toEqual([])
    expect(first.lines.filter((line) => line.status === "rejected")).toEqual([])
    expect(first.code).toBe(0)
    expect(first.lines).toHaveLength(validation.length + 8 + 2)
    expect(new Set(first.lines.map((line) => line.series)).size).toBe(first.lines.length)
    expect(first.lines.every((line) => line.status === "embedded")).toBe(true)

    const second = await voxkin("add", ...all, "--cohort", "real", ...store)
    expect(second.lines.map((line) => line.status)).toEqual(first.lines.map(() => "already"))
    expect(second.lines.map((line) => line.series)).toEqual(first.lines.map((line) => line.series))

    const [published] = (await voxkin("publish", "real", ...store)).lines
    expect(published).toMatchObject({ count: first.lines.length, promoted: true })
    expect(published.recallAt10).toBeGreaterThanOrEqual(0.99)

    const found = await voxkin("search", `${dicom}/C3N-00247`, "--cohort", "real", "-k", "3", ...store)
    expect(found.code).toBe(0)
    const [answer] = found.lines
    expect(answer.neighbors.map((n: { source: string }) => n.source)).toContain(
      "../shared/data/trunk/C3N-00247.nii.gz",
    )
    expect(answer).toMatchObject({ exact: true, shortBy: 0, snapshot: published.snapshot })
    expect(answer.encoder).toMatch(/^voxkin-/)
  }, 600_000)

  test("an add that is killed loses nothing, and its repetition repeats no finished series", async () => {
    const store = ["--data", tempFolder(), "--json"]
    const some = validation.slice(0, 8)
    const child = start(["add", ...some, "--cohort", "real", ...store])
    let printed = ""
    child.stdout?.on("data", (text) => {
      printed += text
      if (printed.split("\n").length > 3) child.kill("SIGKILL")
    })
    await ended(child)
    expect(child.signalCode).toBe("SIGKILL")
    const finished = printed
      .split("\n")
      .slice(0, 3)
      .map((line) => JSON.parse(line).series)

    const again = await voxkin("add", ...some, "--cohort", "real", ...store)
    expect(again.code).toBe(0)
    expect(again.lines).toHaveLength(some.length)
    const repeated = again.lines.filter((line) => finished.includes(line.series))
    expect(repeated.map((line) => line.status)).toEqual(finished.map(() => "already"))
    expect(again.lines.filter((line) => line.status === "embedded").length).toBeGreaterThan(0)
    const [published] = (await voxkin("publish", "real", ...store)).lines
    expect(published.count).toBe(some.length)
  }, 300_000)
})
