import { join } from "node:path"
import { expect, test } from "vitest"
import { diskStore } from "#shared/store/disk.ts"
import { tempFolder, voxkin } from "#test/support/voxkin.ts"
import { fillCohort, seriesId } from "../probe/cohort.ts"

/** A knn probe by the real command line. */
test("fits a knn probe, shows the nearest neighbor beside it, and answers with evidence", async () => {
  const data = tempFolder()
  const rows = Array.from({ length: 24 }, (_, n) => ({ signal: n % 2, labels: { tumour: n % 2 === 1 } }))
  await fillCohort(diskStore(join(data, "objects")), rows)
  const fit = ["probe", "fit", "near", "--cohort", "c", "--task", "knn", "--label", "tumour", "--data", data]

  const fitted = await voxkin(...fit, "--neighbors", "7")
  expect([fitted.code, fitted.stdout]).toEqual([0, expect.stringContaining("the nearest 7 answer")])
  expect(fitted.stdout).toMatch(/auroc .* trivial 0\.500 {3}nearest 0\.\d+/)

  const asked = await voxkin("probe", "predict", "near", seriesId(3), "--data", data, "--json")
  const { label, neighbors } = asked.lines[0].prediction
  expect([label, neighbors.length]).toEqual(["true", 7])
  expect(neighbors.map(({ series }: { series: string }) => series)).not.toContain(seriesId(3))

  const words = await voxkin("probe", "predict", "near", seriesId(3), "--data", data)
  expect(words.stdout).toContain(`${neighbors[0].series} at ${neighbors[0].distance.toPrecision(3)}: `)
  expect(words.stdout).toContain("and 2 more")

  const refused = await voxkin(...fit, "--neighbors", "0")
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("from 1 to 1001")])
}, 60_000)
