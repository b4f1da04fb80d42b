import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { writeDemo } from "#functions/demo/demo.ts"
import { phantom } from "#functions/demo/phantom.ts"
import { readMetadataCsv } from "#shared/cohort/metadata-csv.ts"
import { readNifti } from "#shared/volume/nifti.ts"
import { seriesId } from "#shared/volume/series-id.ts"

test("the demo's files are read as the phantoms that were written, and the CSV names them by path", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'voxkin-demo, "x"-'))
  try {
    const which = [
      { seed: 1, series: 0 },
      { seed: 1, series: 1 },
    ]
    const { paths, csv } = await writeDemo(folder, which)
    for (const [i, path] of paths.entries()) {
      const { volume } = await readNifti(path)
      const made = phantom(which[i].seed, which[i].series).volume
      expect(seriesId(volume)).toBe(seriesId(made))
      for (const [row, line] of made.affine.entries())
        for (const [column, mm] of line.entries()) expect(volume.affine[row][column]).toBeCloseTo(mm, 3)
    }
    const { key, rows } = readMetadataCsv(readFileSync(csv, "utf8"))
    expect(key).toBe("source")
    expect([...rows.keys()]).toEqual(paths)
    const [first, second] = [...rows.values()]
    expect(first.patient).toBe(second.patient)
    expect(first.region).toBe("abdomen")
  } finally {
    rmSync(folder, { recursive: true })
  }
})
