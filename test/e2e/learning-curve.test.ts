import { join } from "node:path"
import { expect, test } from "vitest"
import { diskStore } from "#shared/store/disk.ts"
import { api } from "#test/support/api.ts"
import { tempFolder, voxkin } from "#test/support/voxkin.ts"
import { fillCohort } from "../probe/cohort.ts"

/** A learning curve by the real command line, and as a job over HTTP on the same store. */
test("makes, prints and keeps a learning curve, and says what is wrong with bad numbers", async () => {
  const data = tempFolder()
  await fillCohort(
    diskStore(join(data, "objects")),
    Array.from({ length: 40 }, (_, n) => ({ signal: n % 2, labels: { tumour: n % 2 } })),
  )
  const on = ["--data", data]
  const task = ["--cohort", "c", "--task", "classification", "--label", "tumour"]
  const fitted = await voxkin(
    "probe",
    "fit",
    "p",
    ...task,
    "--folds",
    "4",
    "--penalty",
    "10",
    ...on,
    "--json",
  )
  expect([fitted.code, fitted.lines[0].training.folds, fitted.lines[0].choice]).toMatchObject([
    0,
    4,
    { value: 10, by: "caller" },
  ])

  const words = await voxkin("probe", "learning-curve", "p", "--sizes", "10,20", "--repeats", "2", ...on)
  expect([words.stderr, words.code]).toEqual(["", 0])
  expect(words.stdout).toMatch(/patients {2}series {2}auroc .*brier\n +10 +10 +0\.\d+ +\[.*\] of 2 .*\n +20 /)
  expect(words.stdout).toMatch(/\n +30 +30 +0\.\d+ .*\n +trivial +0\.500 /)

  for (const args of [
    ["learning-curve", "p", "--sizes", "1,20"],
    ["learning-curve", "p", "--sizes", "ten"],
    ["learning-curve", "p", "--repeats", "0"],
    ["fit", "q", ...task, "--folds", "1"],
    ["fit", "q", ...task, "--penalty", "0"],
    ["fit", "q", ...task, "--seed", "-1"],
  ]) {
    const refused = await voxkin("probe", ...args, ...on, "--json")
    expect([refused.code, refused.lines[0]?.fault.code]).toEqual([2, "bad-arguments"])
  }

  const { call, finished, bugs } = api({}, data)
  const job = await call("POST", "/v1/learning-curves", { name: "p", sizes: [10], repeats: 1 })
  expect(job.status).toBe(202)
  const { state, kind, result } = await finished(job.json.job)
  expect([state, kind]).toEqual(["succeeded", "learning-curve"])
  expect(result.points.map((point: { patients: number }) => point.patients)).toEqual([10, 30])
  expect((await call("GET", "/v1/probes/p/learning-curve")).json).toEqual(result)

  const plot = await call("GET", "/v1/probes/p/plots/learning-curve.svg")
  expect([plot.status, plot.text.slice(0, 4)]).toEqual([200, "<svg"])

  const bad = await call("POST", "/v1/learning-curves", { name: "p", sizes: [1] })
  expect([bad.status, bad.json.code]).toEqual([400, "bad-request"])
  for (const [method, path, body] of [
    ["POST", "/v1/learning-curves", { name: "none" }],
    ["GET", "/v1/probes/none/learning-curve", undefined],
  ] as const) {
    const missing = await call(method, path, body)
    expect([missing.status, missing.json.code]).toEqual([404, "no-such-probe"])
  }
  await voxkin("probe", "fit", "fresh", ...task, ...on)
  const none = await call("GET", "/v1/probes/fresh/learning-curve")
  expect([none.status, none.json.code]).toEqual([404, "no-learning-curve"])
  const unplotted = await call("GET", "/v1/probes/fresh/plots/learning-curve.svg")
  expect([unplotted.status, unplotted.json.code]).toEqual([404, "no-such-plot"])
  expect(bugs).toEqual([])
}, 120_000)
