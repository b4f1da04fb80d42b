import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { phantom } from "#functions/demo/phantom.ts"
import { createCohort } from "#shared/cohort/cohort.ts"
import { addMember } from "#shared/cohort/members.ts"
import { readCard } from "#shared/encoder/card.ts"
import { defaultEncoderDir } from "#shared/encoder/library.ts"
import { keepFeatures } from "#shared/features/keep.ts"
import { prng } from "#shared/probe/math/prng.ts"
import { diskStore } from "#shared/store/disk.ts"
import { writeNifti } from "#shared/volume/nifti-write.ts"
import { tempFolder, voxkin } from "#test/support/voxkin.ts"
import { sampleFeatures } from "../features/sample.ts"
import { now, seriesId } from "../probe/cohort.ts"

/** A cohort whose features are made up, under the encoder that ships, so that a real scan can be asked about. */
async function madeUp(data: string): Promise<void> {
  const objects = diskStore(join(data, "objects"))
  const { id, dim, digest, recipeDigest } = await readCard(defaultEncoderDir)
  await createCohort(objects, "c", id, now)
  for (let n = 0; n < 16; n++) {
    const random = prng(n)
    const some = () => Float32Array.from({ length: dim }, () => random() - 0.5 + (n % 2) * 0.2)
    const series = seriesId(n)
    const features = sampleFeatures([1, 2, 2], dim, { series, encoder: { id, digest, recipeDigest } })
    const labels = { tumour: n % 2 === 1 }
    await addMember(objects, "c", { series, source: `scan ${n}`, metadata: {}, labels }, now)
    await keepFeatures(objects, { ...features, cls: some(), mean: some() })
  }
}

test("draws where a probe's score of a scan comes from, and refuses a probe that has no such places", async () => {
  const data = tempFolder()
  await madeUp(data)
  const scan = join(data, "phantom.nii")
  writeFileSync(scan, writeNifti(phantom(0).volume))
  const fit = async (name: string, ...options: string[]) => {
    const column = ["--cohort", "c", "--label", "tumour", "--data", data]
    expect((await voxkin("probe", "fit", name, ...column, ...options)).code).toBe(0)
  }
  const linear = ["--task", "classification", "--penalty", "10"]
  await fit("both", ...linear)
  await fit("token", ...linear, "--pooling", "cls")

  const out = join(data, "why.svg")
  const explain = (name: string, path: string, ...options: string[]) =>
    voxkin("probe", "explain", name, path, "--out", out, "--data", data, ...options)
  const made = await explain("both", scan, "--json")
  expect([made.code, made.lines.length]).toEqual([0, 1])
  const [line] = made.lines
  const predicted = await voxkin("probe", "predict", "both", scan, "--data", data, "--json")
  expect(line.prediction).toEqual(predicted.lines[0].prediction)
  expect(line).toMatchObject({
    scan,
    out,
    probe: "both",
    unit: "log-odds",
    beforeCalibration: true,
    towards: 1,
  })
  const sum = line.intercept + line.cls + line.patches
  expect(Math.abs(sum - line.score)).toBeLessThan(1e-4 * Math.abs(line.score))
  expect(line.for).toHaveLength(10)
  expect(line.for[0].contribution).toBeGreaterThan(line.for[9].contribution)
  const svg = readFileSync(out, "utf8")
  expect(svg).toContain(`probe both, version ${line.version}, series ${line.series}`)
  expect(svg.match(/<image /g)).toHaveLength(3)
  const plots = join(data, "plots")
  const overlay = `overlay-${line.series}.svg`
  const withOverlays = async () =>
    (await voxkin("probe", "plots", "both", "--out", plots, "--data", data)).code
  expect([await withOverlays(), existsSync(join(plots, overlay))]).toEqual([0, false])
  expect((await explain("both", scan, "--keep")).code).toBe(0)
  expect([await withOverlays(), readFileSync(join(plots, overlay), "utf8")]).toEqual([0, svg])
  // It shows the patient, and does not leave with the probe.
  const exported = join(data, "exported")
  expect((await voxkin("probe", "export", "both", "--out", exported, "--data", data)).code).toBe(0)
  expect(readdirSync(exported).join()).not.toContain("overlay")
  // A picture is shown around: a path may hold a name.
  expect(svg).not.toContain("phantom.nii")

  const refusals: [string, string, string][] = [
    ["token", scan, "no-places"],
    ["both", seriesId(3), "no-voxels"],
  ]
  for (const [name, path, code] of refusals) {
    const refused = await explain(name, path)
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(`[${code}]`)])
  }
  const nowhere = join(data, "no", "such", "why.svg")
  const refused = await voxkin("probe", "explain", "both", scan, "--out", nowhere, "--data", data)
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("[cannot-write]")])
  expect(existsSync(nowhere)).toBe(false)
}, 120_000)
