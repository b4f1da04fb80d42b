import { describe, expect, test } from "vitest"
import { fitProbe } from "#shared/probe/fit.ts"
import { checkTimes, openProbe, predict } from "#shared/probe/predict.ts"
import { predictCohort } from "#shared/probe/predict-cohort.ts"
import type { ProbeRecord } from "#shared/probe/record.ts"
import { liveViews } from "#shared/retrieval/live.ts"
import { publish } from "#shared/retrieval/publish.ts"
import { search } from "#shared/retrieval/search.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { dim, emptyStore, fillCohort, now, seriesId } from "./cohort.ts"
import { ask, cohortOf, rows } from "./survival-cases.ts"

const codes = (record: ProbeRecord) => record.notes.map(({ code }) => code)

async function told(objects: ObjectStore, ids: string[], times?: number[]) {
  const predictions = await predict(objects, await openProbe(objects, "outcome"), ids, times)
  return predictions.map((p) => {
    if (!("prediction" in p && "risk" in p.prediction)) throw new Error("no risk")
    return { series: p.series, ...p.prediction }
  })
}

describe("a survival probe", () => {
  test("is fitted by patient, measured beside the Kaplan-Meier curve, and answers risk and survival", async () => {
    const objects = emptyStore()
    const made = cohortOf(120)
    await fillCohort(objects, made)
    const record = await fitProbe(objects, ask())
    if (record.task !== "survival") throw new Error("another task")
    expect(record).toMatchObject({
      time: "days",
      event: "died",
      unit: "days",
      ties: "efron",
      head: { kind: "cox" },
      choice: { of: "penalty", by: "cross-validation" },
      training: { count: 120, patients: 60, split: "by patient", folds: 5 },
    })
    expect(record).not.toHaveProperty("label")
    expect(record.events).toBe(made.filter(({ labels }) => /^(1|true)$/.test(String(labels!.died))).length)
    expect(record.metrics.map(({ name }) => name)).toEqual(["c-index", "integrated-brier", "auroc-at"])
    const [cIndex, brier, auroc] = record.metrics
    expect(cIndex.value).toBeGreaterThan(0.7)
    expect(cIndex.low).toBeGreaterThan(0.5)
    expect(cIndex.low).toBeLessThan(cIndex.value)
    expect(auroc.value).toBeGreaterThan(0.7)
    expect(record.baseline[0]).toMatchObject({ name: "c-index", value: 0.5 })
    expect(brier.value).toBeLessThan(record.baseline[1].value)
    expect(record.answersAt[1]).toBe(record.horizon.aurocAt)
    expect(codes(record)).not.toContain("not-better-than-trivial")

    const answers = await told(
      objects,
      made.map((_, n) => seriesId(n)),
    )
    for (const { survival, unit } of answers) {
      expect(unit).toBe("days")
      expect(survival.map(({ time }) => time)).toEqual(record.answersAt)
      const [first, second, third] = survival.map(({ probability }) => probability)
      expect(first).toBeGreaterThan(second)
      expect(second).toBeGreaterThan(third)
    }
    // The risk is relative to the mean training series.
    expect(answers.reduce((sum, { risk }) => sum + risk, 0) / 120).toBeCloseTo(0, 5)
    const [low, high] = [...answers].sort((a, b) => a.risk - b.risk).filter((_, i) => i === 0 || i === 119)
    expect(low.survival[1].probability).toBeGreaterThan(high.survival[1].probability)

    const [asked] = await told(objects, [low.series], [0.5, record.answersAt[2], record.followUp])
    expect(asked.survival[0]).toEqual({ time: 0.5, probability: 1 })
    expect(asked.survival[1]).toEqual(low.survival[2])
    const probe = await openProbe(objects, "outcome")
    checkTimes(probe, [0.5, record.followUp])
    for (const times of [[0], [Number.NaN], [record.followUp + 1]]) {
      expect(() => checkTimes(probe, times)).toThrow(
        expect.objectContaining({ kind: "invalid", code: "bad-times" }),
      )
    }
  })

  test("of a whole cohort makes the risk a column that searches filter by", async () => {
    const objects = emptyStore()
    await fillCohort(objects, cohortOf(60))
    await fitProbe(objects, ask({ penalty: 10 }))
    const predicted = await predictCohort(objects, { cohort: "c", probes: ["outcome"] }, { now })
    expect(predicted.probes).toMatchObject([{ answered: 60, columns: ["probe.outcome"] }])
    await publish(objects, { cohort: "c", now })
    const view = await liveViews(objects)("c")
    const query = { vector: Array.from({ length: dim }, (_, i) => i) }
    const { neighbors } = await search(objects, view, {
      cohort: "c",
      query,
      k: 60,
      filter: "probe.outcome > 0.5",
    })
    const high = (
      await told(
        objects,
        rows(60, () => ({ signal: 0 })).map((_, n) => seriesId(n)),
      )
    )
      .filter(({ risk }) => risk > 0.5)
      .map(({ series }) => series)
    expect(high.length).toBeGreaterThan(5)
    expect(neighbors.map(({ id }) => id).sort()).toEqual(high.sort())
  })

  test("leaves out and counts series without both columns; few events and nothing learned are said", async () => {
    const objects = emptyStore()
    await fillCohort(
      objects,
      rows(30, (n) => ({
        signal: 0,
        labels: {
          days: n < 3 ? null : 1 + ((7 * n) % 29),
          died: n === 0 || (n > 2 && n < 5) ? "" : n % 4 === 1,
        },
      })),
    )
    const record = await fitProbe(objects, ask())
    expect(record.training).toMatchObject({ count: 25, patients: null })
    expect(codes(record)).toEqual(
      expect.arrayContaining([
        "labels-incomplete",
        "few-events",
        "small-test-set",
        "not-better-than-trivial",
      ]),
    )
    expect(record.notes.slice(0, 2).map(({ message }) => message)).toEqual([
      "1 of 30 series have no value in 'days' or 'died': left out",
      "4 of 30 series have a value in only one of 'days' and 'died': left out",
    ])
  })

  test("has folds when hardly any or none is censored, and few when few had the event", async () => {
    for (const [censored, folds] of [
      [0, 5],
      [1, 5],
      [21, 3],
    ]) {
      const objects = emptyStore()
      const labels = (n: number) => ({ days: 1 + ((7 * n) % 24), died: n >= censored })
      await fillCohort(
        objects,
        rows(24, (n) => ({ signal: 0, labels: labels(n) })),
      )
      expect((await fitProbe(objects, ask({ penalty: 100 }))).training.folds).toBe(folds)
    }
  })

  test("with a damaged head does not answer", async () => {
    const objects = emptyStore()
    await fillCohort(objects, cohortOf(24))
    const { version, head } = await fitProbe(objects, ask({ penalty: 100 }))
    const key = keys.probePart("outcome", version, head.file)
    const { bytes } = (await objects.get(key))!
    bytes[bytes.length - 1] ^= 1
    await objects.put(key, bytes)
    await expect(openProbe(objects, "outcome")).rejects.toMatchObject({ code: "corrupt-probe" })
  })
})
