import { existsSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { parse } from "csv-parse/sync"
import { describe, expect, test } from "vitest"
import { createCohort } from "#shared/cohort/cohort.ts"
import { addMember } from "#shared/cohort/members.ts"
import { keepFeatures } from "#shared/features/keep.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { openProbe, predict } from "#shared/probe/predict.ts"
import { sampleFeatures } from "../features/sample.ts"
import { emptyStore, encoder, now, seriesId } from "./cohort.ts"
import { bruteConcordance } from "./survival-cases.ts"

const tables = resolve(import.meta.dirname, "../../../shared/data/tables")

/** Clinical columns in place of a CT's features, then time and event. */
type Patient = { columns: number[]; days: number; died: boolean }

function radiogenomics(): Patient[] {
  const rows = parse(readFileSync(resolve(tables, "nsclc_radiogenomics.csv")), { columns: true })
  const number = (text: string) => (text.trim() === "" ? Number.NaN : Number(text))
  return (rows as Record<string, string>[]).map((row) => ({
    columns: [
      number(row["Age at Histological Diagnosis"]),
      number(row["Weight (lbs)"]),
      Number(row.Gender === "Male"),
      Number(row["Smoking status"] !== "Nonsmoker"),
    ],
    days: number(row["Survival.time"]),
    died: row["deadstatus.event"] === "1",
  }))
}

function kits(): Patient[] {
  const cases = JSON.parse(readFileSync(resolve(tables, "kits.json"), "utf8"))
  return (cases as Record<string, string | number>[]).map((row) => ({
    columns: [
      Number(row.age_at_nephrectomy ?? Number.NaN),
      Number(row.body_mass_index ?? Number.NaN),
      Number(row.radiographic_size ?? Number.NaN),
      Number(row.gender === "male"),
    ],
    days: Number(row.vital_days_after_surgery ?? Number.NaN),
    died: row.vital_status !== "censored",
  }))
}

/**
 * statsmodels 0.15.0, PHReg(time, z, status=event, ties="efron").fit(method="newton"), z the columns as float32, standardised, of
 * patients who have them all; Harrell's C of its scores by numpy over all pairs.
 */
const cases = [
  {
    name: "NSCLC Radiogenomics: age, weight, sex, smoking",
    read: radiogenomics,
    patients: 134,
    events: 47,
    weights: [0.35100911, -0.00771656, 0.14598688, 0.06802408],
    cIndex: 0.6131692,
  },
  {
    name: "KiTS19: age, body mass index, tumour size, sex",
    read: kits,
    patients: 207,
    events: 21,
    weights: [0.29719243, -0.51315051, 0.48195977, 0.29168222],
    cIndex: 0.7295552,
  },
]

describe.skipIf(!existsSync(tables))("real clinical tables (skipped where ../shared/data is absent)", () => {
  test.each(cases)("$name: fitted, kept and asked as any probe, to 1e-4", async (one) => {
    const patients = one.read().filter(({ columns, days }) => columns.every(Number.isFinite) && days > 0)
    expect(patients).toHaveLength(one.patients)
    const objects = emptyStore()
    await createCohort(objects, "c", encoder.id, now)
    for (const [n, { columns, days, died }] of patients.entries()) {
      const series = seriesId(n)
      const vector = Float32Array.from(columns)
      const features = sampleFeatures([1, 1, 1], columns.length, { series, encoder })
      await keepFeatures(objects, { ...features, cls: vector, mean: vector })
      await addMember(objects, "c", { series, source: `${n}`, labels: { days, died, patient: n } }, now)
    }
    const record = await fitProbe(objects, {
      name: "outcome",
      cohort: "c",
      task: "survival",
      time: "days",
      event: "died",
      unit: "days",
      pooling: "cls",
      penalty: 1e-3, // the least there is: it moves no weight by 1e-4
      now,
    })
    expect(record).toMatchObject({ task: "survival", events: one.events, ties: "efron" })

    const probe = await openProbe(objects, "outcome")
    if (probe.head.kind !== "cox") throw new Error("no Cox head")
    for (const [c, w] of one.weights.entries()) expect(Math.abs(probe.head.weights[c] - w)).toBeLessThan(1e-4)

    const said = await predict(
      objects,
      probe,
      patients.map((_, n) => seriesId(n)),
    )
    const risk = Float64Array.from(said, (answer) =>
      "prediction" in answer && "risk" in answer.prediction ? answer.prediction.risk : Number.NaN,
    )
    const time = Float64Array.from(patients, ({ days }) => days)
    const event = Uint8Array.from(patients, ({ died }) => Number(died))
    expect(Math.abs(bruteConcordance(time, event, risk) - one.cIndex)).toBeLessThan(1e-4)
  })
})
