import { readFileSync, writeFileSync } from "node:fs"
import { cp } from "node:fs/promises"
import { join } from "node:path"
import { expect, test } from "vitest"
import { phantom } from "#functions/demo/phantom.ts"
import { writeNifti } from "#shared/volume/nifti-write.ts"
import { root, tempFolder, voxkin } from "#test/support/voxkin.ts"

/** A team's way to a better encoder, through the real command line: the README's, line by line. */
test("a cohort moves to another encoder, its probes are compared first, and back", async () => {
  const folder = tempFolder()
  const store = ["--data", join(folder, "data")]
  const json = [...store, "--json"]
  // The same weights under another name are another encoder, as good as the first.
  const other = join(folder, "other")
  await cp(join(root, "shared/encoder/default"), other, { recursive: true })
  const card = join(other, "encoder.json")
  writeFileSync(card, readFileSync(card, "utf8").replace(/"(id|name)": "voxkin/g, '"$1": "other'))

  const scans = Array.from({ length: 6 }, (_, n) => join(folder, `scan-${n}.nii`))
  for (const [n, path] of scans.entries()) writeFileSync(path, writeNifti(phantom(n).volume))
  const labels = join(folder, "labels.csv")
  const rows = scans.map((path, n) => `${path},p${n},${n % 2 === 1}`)
  writeFileSync(labels, ["source,patient,odd", ...rows].join("\n"))

  expect((await voxkin("add", ...scans, "--cohort", "c", ...store)).code).toBe(0)
  expect((await voxkin("label", "c", labels, ...store)).code).toBe(0)
  expect((await voxkin("publish", "c", ...store)).code).toBe(0)
  const fit = ["probe", "fit", "odd", "--cohort", "c", "--label", "odd", "--task", "classification"]
  expect((await voxkin(...fit, "--folds", "2", ...store)).code).toBe(0)

  // Only some are embedded with the other encoder yet.
  const next = ["--cohort", "next", "--encoder", other]
  await voxkin("add", ...scans.slice(0, 4), ...next, ...store)
  const early = await voxkin("publish", "c", "--encoder", other, ...store)
  expect(early.code).toBe(0)
  expect(early.stdout).toContain("not promoted")
  expect(early.stdout).toContain("2 series have features of voxkin-")

  await voxkin("add", ...scans, ...next, ...store)
  const { code, stdout } = await voxkin("publish", "c", "--encoder", other, ...store)
  expect(code).toBe(0)
  expect(stdout).toMatch(/6 series of other-[0-9a-f]{12}, .*, now live\n/)
  const [, before, after] = /probe odd: auroc (\S+) before, (\S+) after/.exec(stdout)!
  expect(after).toBe(before)

  const search = ["search", scans[3], "--cohort", "c", "-k", "1", ...json]
  expect((await voxkin(...search)).lines[0]).toMatchObject({ encoder: expect.stringMatching(/^other-/) })
  const back = await voxkin("rollback", "c", ...store)
  expect(back.stdout).toMatch(/6 series of voxkin-[0-9a-f]{12}, live again/)
  expect((await voxkin(...search)).lines[0]).toMatchObject({ encoder: expect.stringMatching(/^voxkin-/) })
}, 240_000)
