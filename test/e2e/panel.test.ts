import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { diskStore } from "#shared/store/disk.ts"
import { tempFolder, voxkin } from "#test/support/voxkin.ts"
import { fillCohort, seriesId } from "../probe/cohort.ts"

test("labels that come later by CSV, a panel of them, and what it says, by the command line", async () => {
  const data = tempFolder()
  const on = ["--data", data]
  const rows = Array.from({ length: 40 }, (_, n) => ({ signal: n % 2 ? 0.6 : 0, metadata: { patient: n } }))
  await fillCohort(diskStore(join(data, "objects")), rows)
  const table = join(data, "labels.csv")
  const lines = rows.map((_, n) => `scan ${n},${n % 2 === 1},${n % 4 < 2 ? "yes" : "no"}`)
  writeFileSync(table, ["source,nodule,effusion", ...lines, "scan 99,true,no", ""].join("\n"))

  const labelled = await voxkin("label", "c", table, ...on)
  expect([labelled.code, labelled.stdout]).toEqual([
    0,
    "40 series labelled, 0 of c have no row\n  1 rows are of no series of c: scan 99\n",
  ])

  const task = ["--cohort", "c", "--task", "classification"]
  const fitted = await voxkin("probe", "fit", "chest", ...task, "--label", "nodule", "effusion", ...on)
  expect([fitted.stderr, fitted.code]).toEqual(["", 0])
  expect(fitted.stdout).toMatch(
    /^chest: 2 findings .*\n {2}macro-auroc +0\.\d+ +\[0\.\d+, [01]\.\d+\] +trivial 0\.500/,
  )
  expect(fitted.stdout).toContain("nodule: 20 of 40 series; voxkin probe show chest.nodule")

  const said = await voxkin("probe", "predict", "chest", seriesId(1), ...on, "--json")
  expect([said.code, said.lines[0].findings.nodule.label]).toEqual([0, "true"])
  const whole = await voxkin("probe", "predict", "chest", "--cohort", "c", ...on)
  expect(whole.stdout).toContain("columns probe.chest.nodule, probe.chest.nodule.p, probe.chest.effusion")

  const survival = ["--cohort", "c", "--task", "survival", "--label", "nodule", "effusion"]
  const refused = await voxkin("probe", "fit", "other", ...survival, ...on, "--json")
  expect([refused.code, refused.lines[0].fault.code]).toEqual([2, "bad-arguments"])
}, 60_000)
