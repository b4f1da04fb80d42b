import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { diskStore } from "#shared/store/disk.ts"
import { tempFolder, voxkin } from "#test/support/voxkin.ts"
import { fillCohort, seriesId } from "../probe/cohort.ts"

/** A survival probe by the real command line: who carries the signal has the event sooner. */
test("fits, shows and asks a survival probe, and says what is wrong with bad columns", async () => {
  const data = tempFolder()
  const store = ["--data", data, "--json"]
  const rows = Array.from({ length: 40 }, (_, n) => ({
    signal: n % 4,
    labels: { days: 900 - 200 * (n % 4) + 7 * ((n * 5) % 11), died: n % 5 === 0 ? 0 : 1 },
  }))
  await fillCohort(diskStore(join(data, "objects")), rows)

  const columns = ["--time", "days", "--event", "died", "--unit", "days"]
  const fitted = await voxkin(
    "probe",
    "fit",
    "outcome",
    "--cohort",
    "c",
    "--task",
    "survival",
    ...columns,
    ...store,
  )
  expect(fitted.stderr).not.toContain("bug")
  expect(fitted.code).toBe(0)
  expect(fitted.lines[0]).toMatchObject({
    task: "survival",
    time: "days",
    event: "died",
    unit: "days",
    events: 32,
  })
  const cIndex = fitted.lines[0].metrics.find(({ name }: { name: string }) => name === "c-index")
  expect(cIndex.value).toBeGreaterThan(0.8)

  const asked = await voxkin(
    "probe",
    "predict",
    "outcome",
    seriesId(0),
    seriesId(3),
    "--times",
    "300,600",
    ...store,
  )
  expect(asked.code).toBe(0)
  const [late, soon] = asked.lines.map((line) => line.prediction)
  expect(soon.risk).toBeGreaterThan(late.risk)
  expect(late.survival.map(({ time }: { time: number }) => time)).toEqual([300, 600])
  expect(late.survival[1].probability).toBeGreaterThan(soon.survival[1].probability)
  expect((await voxkin("probe", "show", "outcome", "--data", data)).stdout).toContain("c-index")

  const out = join(tempFolder(), "plots")
  const drawn = await voxkin("probe", "plots", "outcome", "--out", out, ...store)
  const path = join(out, "survival.svg")
  expect([drawn.code, drawn.lines]).toEqual([0, [expect.objectContaining({ plot: "survival.svg", path })]])
  expect(readFileSync(path, "utf8")).toContain("at risk")
  const refused = await voxkin("probe", "plots", "outcome", "--out", path, ...store)
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("bad-out-folder")])

  for (const [args, code] of [
    [["--time", "days"], "bad-target"],
    [["--time", "days", "--event", "days"], "bad-target"],
    [["--label", "died", ...columns], "bad-target"],
    [["--time", "days", "--event", "none"], "no-such-column"],
  ] as const) {
    const refused = await voxkin(
      "probe",
      "fit",
      "bad",
      "--cohort",
      "c",
      "--task",
      "survival",
      ...args,
      ...store,
    )
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(code)])
  }
}, 60_000)
