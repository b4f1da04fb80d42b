import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { fitProbe } from "#shared/probe/fit.ts"
import { diskStore } from "#shared/store/disk.ts"
import { tempFolder, voxkin } from "#test/support/voxkin.ts"
import { fillCohort, now, seriesId } from "../probe/cohort.ts"

/** Versions of a probe by the real command line, from one data folder to another. */
test("a candidate is promoted, rolled back, exported, imported elsewhere and measured there", async () => {
  const [here, there] = [tempFolder(), tempFolder()]
  const store = (data: string) => ["--data", data, "--json"]
  const rows = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ signal: n % 2, labels: { tumour: n % 2 === 1 } }))
  const objects = diskStore(join(here, "objects"))
  await fillCohort(objects, rows(16))
  await fillCohort(diskStore(join(there, "objects")), rows(10), { cohort: "theirs", from: 100 })
  const asked = { name: "p", cohort: "c", label: "tumour", task: "classification" } as const
  const first = (await fitProbe(objects, { ...asked, penalty: 1, now })).version

  const columns = ["--cohort", "c", "--task", "classification", "--label", "tumour", "--no-promote"]
  const fitted = await voxkin("probe", "fit", "p", ...columns, ...store(here))
  expect([fitted.code, fitted.stderr]).toEqual([0, expect.stringContaining("voxkin probe promote p")])
  const second = fitted.lines[0].version
  const asking = await voxkin("probe", "predict", "p", seriesId(1), "--version", second, ...store(here))
  expect(asking.lines[0]).toMatchObject({ version: second, prediction: { label: "true" } })
  const promoted = await voxkin("probe", "promote", "p", second, ...store(here))
  expect(promoted.lines[0]).toMatchObject({ version: second, from: first, changed: true })
  const back = await voxkin("probe", "rollback", "p", ...store(here))
  expect(back.lines[0]).toMatchObject({ version: first, from: second })
  const versions = await voxkin("probe", "versions", "p", "--data", here)
  expect(versions.stdout).toMatch(new RegExp(`${second}  earlier .*\n${first}  current `))

  const folder = join(there, "export", "p")
  const written = await voxkin("probe", "export", "p", "--version", second, "--out", folder, ...store(here))
  expect(written.lines[0]).toMatchObject({ version: second, files: expect.arrayContaining(["SHA256SUMS"]) })
  expect(readdirSync(folder).sort()).toEqual(written.lines[0].files)
  const twice = await voxkin("probe", "export", "p", "--out", folder, ...store(here))
  expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining("cannot-write")])
  const brought = await voxkin("probe", "import", folder, "--as", "tumour", ...store(there))
  expect(brought.lines[0]).toMatchObject({ probe: "tumour", version: second, imported: true, current: true })
  const measured = await voxkin("probe", "eval", "tumour", "--cohort", "theirs", ...store(there))
  expect(measured.lines[0]).toMatchObject({ probe: "tumour", cohort: "theirs", count: 10 })
  const shown = await voxkin("probe", "show", "tumour", "--data", there)
  expect(shown.stdout).toContain(`tumour ${second} on cohort theirs: 10 series`)

  const head = join(folder, "head.safetensors")
  const bytes = readFileSync(head)
  bytes[bytes.length - 1] ^= 1
  writeFileSync(head, bytes)
  const tampered = await voxkin("probe", "import", folder, "--as", "other", ...store(there))
  expect([tampered.code, tampered.stderr]).toEqual([2, expect.stringContaining("bad-export")])
}, 120_000)
