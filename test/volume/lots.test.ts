import { readdirSync } from "node:fs"
import { join, resolve } from "node:path"
import { expect, test } from "vitest"
import { discover } from "#shared/volume/discover.ts"
import { lotsOf } from "#shared/volume/lots.ts"
import { seriesId } from "#shared/volume/series-id.ts"

const fixtures = resolve(import.meta.dirname, "../fixtures/dicom")
const slicesOf = (set: string) =>
  readdirSync(join(fixtures, set))
    .sort()
    .map((name) => join(fixtures, set, name))

test("loose slices of one folder are one lot, everything else is a lot of its own", async () => {
  const truth = join(fixtures, "explicit-le.truth.nii.gz")
  const [first, ...rest] = slicesOf("rle")
  const lots = await lotsOf([first, truth, join(fixtures, "oblique"), ...rest, "nowhere", truth])
  expect(lots.map(({ as }) => as)).toEqual([
    join(fixtures, "rle"),
    truth,
    join(fixtures, "oblique"),
    "nowhere",
    truth,
  ])
  expect(lots[0].paths).toEqual([first, ...rest])
})

test("a series given slice by slice is the series of its folder", async () => {
  const [lot] = await lotsOf(slicesOf("rle"))
  const found = await discover(lot)
  const whole = await discover(join(fixtures, "rle"))
  expect(found.candidates.map(({ source }) => source)).toEqual([join(fixtures, "rle")])
  const ids = await Promise.all(
    [found, whole].map(async ({ candidates }) => seriesId((await candidates[0].read()).volume)),
  )
  expect(ids[0]).toBe(ids[1])
})
