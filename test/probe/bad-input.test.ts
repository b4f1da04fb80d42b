import { describe, expect, test } from "vitest"
import { keepFeatures } from "#shared/features/keep.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { openProbe, predict } from "#shared/probe/predict.ts"
import { keys } from "#shared/store/keys.ts"
import { emptyStore, featuresWith, fillCohort, now, type Row, seriesId } from "./cohort.ts"

const rows = (count: number, make: (n: number) => Row): Row[] =>
  Array.from({ length: count }, (_, n) => make(n))
const ask = (change: object = {}) =>
  ({ name: "p", cohort: "c", label: "tumour", task: "classification", now, ...change }) as const

async function fit(of: Row[], change: object = {}) {
  const objects = emptyStore()
  await fillCohort(objects, of)
  const record = await fitProbe(objects, ask(change))
  const notes = Object.fromEntries(record.notes.map(({ code, message }) => [code, message]))
  const said = await predict(
    objects,
    await openProbe(objects, "p"),
    of.map((_, n) => seriesId(n)),
  )
  return { record, notes, said }
}

/** Everything a probe says, of itself and of its own training series, is a number. */
function finite({ record, said }: Awaited<ReturnType<typeof fit>>): void {
  for (const { value } of [...record.metrics, ...record.baseline]) expect(value).toSatisfy(Number.isFinite)
  for (const answer of said) {
    if (!("prediction" in answer)) throw new Error(answer.error.message)
    JSON.stringify(answer.prediction, (_, told) => {
      if (typeof told === "number") expect(told).toSatisfy(Number.isFinite)
      return told
    })
  }
}

describe("whatever the labels and features, the numbers are numbers", () => {
  test.each([
    ["classification", (n: number) => n % 2],
    ["regression", (n: number) => n],
  ])("%s of fewer labels than folds: fewer folds, and said so", async (task, tumour) => {
    const fitted = await fit(
      rows(6, (n) => ({ signal: n, labels: { tumour: tumour(n) } })),
      { task, folds: 20 },
    )
    finite(fitted)
    expect(fitted.record.training.folds).toBe(task === "regression" ? 6 : 3)
    expect(fitted.notes["folds-reduced"]).toContain("in place of 20")
    expect(fitted.notes["small-test-set"]).toContain("only 6 series")
  })

  test.each([
    ["logistic", 2],
    ["softmax", 3],
  ])("perfectly separable, %s: as sure as the penalty lets it be, and said so", async (kind, classes) => {
    const fitted = await fit(
      rows(30, (n) => ({ signal: 1e4 * (n % classes), labels: { tumour: `class ${n % classes}` } })),
      { penalty: 1e-3 },
    )
    finite(fitted)
    expect(fitted.record.head.kind).toBe(kind)
    expect(fitted.notes.separable).toContain("without error")
    if (classes === 2) expect(fitted.notes["suspiciously-perfect"]).toContain("out of fold is 1.0000")
  })

  test.each(["classification", "regression"])(
    "%s on features that are all the same: trivial",
    async (task) => {
      const objects = emptyStore()
      const of = rows(20, (n) => ({ signal: 0, labels: { tumour: n % 2 }, features: false as const }))
      await fillCohort(objects, of)
      const { cls, mean } = featuresWith(0, 0)
      for (const n of of.keys()) await keepFeatures(objects, { ...featuresWith(n, 0), cls, mean })
      const record = await fitProbe(objects, ask({ task }))
      const notes = record.notes.map(({ code }) => code)
      expect(notes).toEqual(expect.arrayContaining(["constant-features", "not-better-than-trivial"]))
      const said = await predict(objects, await openProbe(objects, "p"), [seriesId(0), seriesId(1)])
      const answers = said.map((answer) => "prediction" in answer && answer.prediction)
      expect(answers[0]).toEqual(answers[1])
      if (task === "regression") expect(answers[0]).toMatchObject({ value: 0.5 })
    },
  )
})

test("text, NaN and infinities in a column of numbers are named, and nothing is kept", async () => {
  for (const wrong of ["NaN", "nan", "Infinity", "1,5", "12 mm", "-", "1e999"]) {
    const objects = emptyStore()
    await fillCohort(
      objects,
      rows(8, (n) => ({ signal: n, labels: { tumour: n === 5 ? wrong : n } })),
    )
    const failing = fitProbe(objects, ask({ task: "regression" }))
    await expect(failing).rejects.toMatchObject({ kind: "invalid", code: "bad-label" })
    await expect(failing).rejects.toThrow(`1 labels in column 'tumour' are not numbers`)
    await expect(failing).rejects.toThrow(seriesId(5))
    expect(await objects.list(keys.probes)).toEqual([])
  }
})
