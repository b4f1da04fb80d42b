import { spawnSync } from "node:child_process"
import { describe, expect, test } from "vitest"
import { findPython } from "#functions/setup/python.mjs"
import { OutOfFold, outOfFoldFile, readPlot } from "#shared/probe/evidence.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { prng } from "#shared/probe/math/prng.ts"
import { leastSlope } from "#shared/probe/measure/calibration.ts"
import { axisOf, ticksOf, written } from "#shared/probe/plot/axis.ts"
import { lineChart } from "#shared/probe/plot/line-chart.ts"
import { escaped } from "#shared/probe/plot/svg.ts"
import type { ProbeRecord } from "#shared/probe/record.ts"
import { getJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { emptyStore, fillCohort, now, type Row, seriesId } from "./cohort.ts"

const python = findPython()
/** By expat, a parser that is not ours: the texts of an SVG document, or the complaint. */
function texts(svg: string): string[] {
  if (!python)
    return [...svg.matchAll(/<text[^>]*>(?:<title>.*?<\/title>)?([^<]*)<\/text>/g)].map(([, words]) => words)
  const program =
    "import sys, json, xml.etree.ElementTree as t\n" +
    "root = t.fromstring(sys.stdin.buffer.read())\n" +
    "assert root.tag.endswith('svg')\n" +
    "print(json.dumps([(e.text or '') + ''.join(c.tail or '' for c in e) for e in root.iter() if e.tag.endswith('}text')]))"
  const { stdout, stderr } = spawnSync(python, ["-c", program], { input: svg, encoding: "utf8" })
  expect(stderr).toBe("")
  return JSON.parse(stdout)
}

const rows = (count: number, make: (n: number) => Row): Row[] =>
  Array.from({ length: count }, (_, n) => make(n))

async function fitted(made: Row[], change: object, objects = emptyStore()) {
  await fillCohort(objects, made)
  const request = { name: "p", cohort: "c", label: "y", task: "classification", now, ...change } as const
  const record = await fitProbe(objects, request)
  const plots: Record<string, string> = Object.fromEntries(
    await Promise.all(record.plots.map(async (plot) => [plot, await svgOf(objects, record, plot)])),
  )
  const key = keys.probePart("p", record.version, outOfFoldFile)
  const kept = await getJson(objects, key, OutOfFold)
  return { objects, record, plots, outOfFold: kept!.value }
}

async function svgOf(objects: ObjectStore, record: ProbeRecord, plot: string): Promise<string> {
  return new TextDecoder().decode(await readPlot(objects, record, plot))
}

/** The corners of the first path of a colour, in shares of a plot whose axes go from 0 to 1. */
function pathOf(svg: string, color: string): string {
  return svg.match(new RegExp(`<path d="([^"]*)" fill="none" stroke="${color}"`))![1]
}

const circles = (svg: string) =>
  [...svg.matchAll(/<circle cx="([^"]*)" cy="([^"]*)"/g)].map(([, x, y]) => [Number(x), Number(y)])

describe("plots beside a record", () => {
  test("of two classes: the thresholds lie on the ROC curve, and the numbers are those of the file of predictions", async () => {
    const random = prng(9)
    const made = rows(60, (n) => ({
      signal: random(),
      labels: { y: n % 3 === 0 ? 'a <b> & "c"' : "0 'no'\u0007" },
      metadata: { patient: n >> 1 },
    }))
    for (const row of made) if (String(row.labels!.y).startsWith("a")) row.signal += 0.4
    const { record, plots, outOfFold } = await fitted(made, {})
    if (record.task !== "classification") throw new Error("another task")
    expect(record.plots).toEqual(["roc.svg", "calibration.svg"])
    expect(record.calibration).toMatchObject({ method: "platt", of: 60 })

    const roc = texts(plots["roc.svg"])
    expect(roc).toContain("ROC of 'y' = a <b> & \"c\"")
    expect(roc.join("\n")).toContain("30 patients, out of fold")
    // AUROC 1 at the upper left corner of the axes, 0 at the lower right one: 66 to 526 and 66 to 526 pixels.
    const [box] = plots["roc.svg"].match(/<rect x="66" y="66" width="460" height="460" fill="none"/)!
    expect(box).toBeDefined()
    const dots = circles(plots["roc.svg"]).slice(0, record.thresholds.length)
    const curve = pathOf(plots["roc.svg"], "#0072b2")
    for (const [i, { sensitivity, specificity }] of record.thresholds.entries()) {
      const [x, y] = [66 + 460 * (1 - specificity!.value), 66 + 460 * (1 - sensitivity!.value)]
      expect(dots[i][0]).toBeCloseTo(x, 2)
      expect(dots[i][1]).toBeCloseTo(y, 2)
    }
    expect(curve.startsWith("M66,526 ")).toBe(true)
    expect(curve.endsWith("526,66")).toBe(true)

    const calibration = plots["calibration.svg"]
    expect(texts(calibration).join("\n")).toContain("expected calibration error")
    const bins = circles(calibration).slice(0, record.reliability.curve.length)
    for (const [i, { predicted, observed }] of record.reliability.curve.entries()) {
      expect(bins[i][0]).toBeCloseTo(66 + 350 * predicted, 1)
      expect(bins[i][1]).toBeCloseTo(66 + 350 * (1 - observed.value), 1)
    }

    expect(outOfFold.outputs).toEqual(['probability of a <b> & "c"'])
    expect(outOfFold.rows.map(({ series }) => series).sort()).toEqual(made.map((_, n) => seriesId(n)).sort())
    const brier = outOfFold.rows.reduce(
      (sum, { truth, outputs }) => sum + (outputs[0] - (String(truth).startsWith("a") ? 1 : 0)) ** 2 / 60,
      0,
    )
    expect(brier).toBeCloseTo(record.metrics.find(({ name }) => name === "brier")!.value, 12)
    // No patient is in two folds.
    const folds = new Map<number, Set<number>>()
    for (const { patient, fold } of outOfFold.rows)
      folds.set(patient, (folds.get(patient) ?? new Set()).add(fold))
    expect(folds.size).toBe(30)
    expect([...folds.values()].every(({ size }) => size === 1)).toBe(true)
  })

  test("of many classes: as many curves as are told apart, and the mean of all", async () => {
    const made = rows(60, (n) => ({ signal: n % 10, labels: { y: `organ ${n % 10}` } }))
    const { record, plots } = await fitted(made, { penalty: 10 })
    if (record.task !== "classification") throw new Error("another task")
    expect(record.thresholds).toEqual([])
    expect(record.calibration).toMatchObject({ method: "temperature" })
    const words = texts(plots["roc.svg"])
    expect(words.filter((text) => /^organ \d: AUROC/.test(text))).toHaveLength(7)
    expect(words).toContain("3 rarer classes are in the mean and not drawn")
    expect(texts(plots["calibration.svg"])).toContain("predicted probability of the likeliest class")
  })

  test("of numbers: a dot per series, and an interval that predictions have too", async () => {
    const made = rows(60, (n) => ({ signal: Math.sin(n), labels: { y: 100 + 20 * Math.sin(n) } }))
    const { record, plots, outOfFold } = await fitted(made, { task: "regression", unit: "ml" })
    if (record.task !== "regression") throw new Error("another task")
    expect(record.plots).toEqual(["errors.svg"])
    expect(circles(plots["errors.svg"])).toHaveLength(60)
    const words = texts(plots["errors.svg"])
    expect(words).toContain("true y (ml)")
    expect(words).toContain(
      `90 % prediction interval: value ± ${Number(record.interval.half!.toPrecision(3))} ml`,
    )
    const held = outOfFold.rows.filter(
      ({ truth, outputs }) => Math.abs(outputs[0] - Number(truth)) <= record.interval.half!,
    )
    // The ⌈0.9 · 61⌉-th smallest residual: 55 of 60 are no larger.
    expect(held).toHaveLength(55)
  })

  test("of neighbors: the same, from their out-of-fold shares, though nothing calibrates them", async () => {
    const made = rows(60, (n) => ({ signal: n % 2 ? 0.7 : 0, labels: { y: n % 2 ? "yes" : "no" } }))
    const { record, plots } = await fitted(made, { task: "knn", neighbors: 5 })
    if (record.task !== "classification") throw new Error("another task")
    expect(record).toMatchObject({
      head: { kind: "knn" },
      calibration: null,
      plots: ["roc.svg", "calibration.svg"],
    })
    expect(record.notes.map(({ code }) => code)).not.toContain("not-calibrated")
    expect(record.thresholds[0]).toMatchObject({ rule: "half", threshold: 0.5 })
    expect(record.metrics[0].delong!.low).toBeLessThan(record.metrics[0].value)
    // Five neighbors give few different shares, and equal ones are in one bin.
    expect(record.reliability.curve.reduce((sum, { count }) => sum + count, 0)).toBe(60)
    for (const svg of Object.values<string>(plots)) expect(texts(svg).length).toBeGreaterThan(10)
  })

  test("of survival: thirds of the risk, each with its number at risk", async () => {
    const made = rows(60, (n) => ({
      signal: n % 6,
      labels: { days: 400 - 60 * (n % 6) + 7 * ((n * 5) % 11), died: n % 4 > 0 },
    }))
    const change = {
      task: "survival",
      label: undefined,
      time: "days",
      event: "died",
      unit: "days",
      penalty: 10,
    }
    const { plots, outOfFold, record } = await fitted(made, change)
    expect(record.plots).toEqual(["survival.svg"])
    const words = texts(plots["survival.svg"])
    for (const name of ["low", "middle", "high"]) {
      expect(words).toContain(name)
      expect(words.some((text) => text.startsWith(`${name} risk: 20 series`))).toBe(true)
    }
    const byRisk = [...outOfFold.rows].sort((a, b) => a.outputs[0] - b.outputs[0])
    const times = byRisk.map(({ truth }) => (typeof truth === "object" ? truth.time : Number.NaN))
    const ticks = ticksOf({ ...axisOf("", [0, ...times]), from: 0 })
    for (const [third, name] of ["low", "middle", "high"].entries()) {
      const own = times.slice(20 * third, 20 * third + 20)
      const atRisk = ticks.map(({ at }) => String(own.filter((time) => time >= at).length))
      const row = words.indexOf(name) + 1
      expect(words.slice(row, row + ticks.length)).toEqual(atRisk)
    }
    expect(words.join(" ")).toMatch(/log-rank χ² [\d.]+ of 2 degrees of freedom, p [<=] /)
    const [{ truth, outputs }] = outOfFold.rows
    expect(truth).toEqual({ time: expect.any(Number), event: expect.any(Boolean) })
    expect(outputs).toHaveLength(outOfFold.outputs.length)
    expect(outOfFold.outputs[0]).toBe("risk")
  })
})

describe("hard to draw", () => {
  test("classes told apart without error: calibrated, finite, and no DeLong interval", async () => {
    const made = rows(40, (n) => ({ signal: n % 2 ? 40 : -40, labels: { y: n % 2 } }))
    const { record, plots } = await fitted(made, {})
    if (record.task !== "classification" || record.calibration?.method !== "platt")
      throw new Error("not calibrated")
    expect(Number.isFinite(record.calibration.slope)).toBe(true)
    expect(record.metrics[0]).toMatchObject({ name: "auroc", value: 1, delong: null })
    expect(record.reliability).toMatchObject({ slope: null, intercept: null })
    for (const svg of Object.values<string>(plots)) expect(texts(svg).length).toBeGreaterThan(10)
  })

  test("so few patients that folds cannot be split again: said, and drawn all the same", async () => {
    const made = rows(8, (n) => ({ signal: n, labels: { y: n < 2 ? "yes" : "no" } }))
    const { record, plots } = await fitted(made, {})
    expect(record.notes.map(({ code }) => code)).toContain("not-calibrated")
    const two = record.task === "classification" ? record : undefined
    // All rows together can be split, their folds' training rows, with one "yes" each, cannot.
    expect(two?.calibration).toMatchObject({ method: "platt", of: 8 })
    for (const svg of Object.values<string>(plots)) expect(texts(svg).length).toBeGreaterThan(10)
  })

  test("labels that are noise: the probabilities stay near the share of the class, and that is said", async () => {
    const random = prng(4)
    const made = rows(80, () => ({ signal: 0, labels: { y: random() < 0.5 } }))
    const flat: string[] = []
    for (const seed of [0, 1]) {
      const { record, outOfFold } = await fitted(made, { seed, penalty: 1 })
      if (record.task !== "classification" || record.calibration?.method !== "platt")
        throw new Error("not calibrated")
      const codes = record.notes.map(({ code }) => code)
      expect(codes).toContain("not-better-than-trivial")
      expect(codes.includes("calibration-flat")).toBe(record.calibration.slope <= leastSlope)
      flat.push(...codes.filter((code) => code === "calibration-flat"))
      const p = outOfFold.rows.map(({ outputs }) => outputs[0])
      expect(Math.max(...p) - Math.min(...p)).toBeLessThan(0.6)
    }
    expect(flat.length).toBeGreaterThan(0)
  })

  test("five numbers: no interval, and said so", async () => {
    const made = rows(5, (n) => ({ signal: n, labels: { y: n * n } }))
    const { record, plots, objects } = await fitted(made, { task: "regression" })
    expect(record).toMatchObject({ interval: { share: 0.9, half: null } })
    expect(record.notes.map(({ code }) => code)).toContain("no-interval")
    expect(texts(plots["errors.svg"]).join(" ")).not.toContain("prediction interval")
    await expect(readPlot(objects, record, "roc.svg")).rejects.toMatchObject({
      kind: "missing",
      code: "no-such-plot",
    })
    await expect(readPlot(objects, record, "../../x")).rejects.toMatchObject({ code: "no-such-plot" })
  })
})

describe("the frame", () => {
  test("has ticks at round numbers inside the range, also on axes of equal factors", () => {
    expect(ticksOf({ label: "", from: 0, to: 1 }).map(({ words }) => words)).toEqual([
      "0",
      "0.2",
      "0.4",
      "0.6",
      "0.8",
      "1",
    ])
    expect(ticksOf({ label: "", from: -0.3, to: 0.3 }).map(({ words }) => words)).toEqual([
      "−0.2",
      "0",
      "0.2",
    ])
    expect(ticksOf({ label: "", from: 20, to: 500, log: true }).map(({ at }) => at)).toEqual([
      20, 50, 100, 200, 500,
    ])
    expect(axisOf("", [3, 3])).toMatchObject({ from: 1.5, to: 4.5 })
    expect(axisOf("", [Number.NaN])).toMatchObject({ from: 0, to: 1 })
    expect(axisOf("", [13, 48])).toMatchObject({ from: 10, to: 50 })
    expect([0, 1e-7, 2.5e9, -0.1 - 0.2].map(written)).toEqual(["0", "1e−7", "2.5e9", "−0.3"])
  })

  test("draws a curve with intervals, and words of any kind as text", () => {
    const hostile = `</text><script>alert("1")</script> & 'quotes' \u0000 \ud800 ${"long ".repeat(60)}`
    const svg = lineChart({
      title: hostile,
      subtitle: hostile,
      x: { label: hostile, from: 10, to: 1000, log: true, ticks: [10, 100, 1000] },
      y: hostile,
      series: [
        {
          name: hostile,
          points: [
            { x: 10, y: 0.5, low: 0.4, high: 0.6 },
            { x: 100, y: 0.7, low: null, high: null },
            { x: 1000, y: 0.8, low: 0.7, high: 0.9 },
          ],
        },
      ],
    })
    expect(svg).not.toContain("<script")
    const words = texts(svg)
    expect(words[0]).toContain('</text><script>alert("1")</script> & ')
    expect(words).toEqual(expect.arrayContaining(["10", "100", "1000"]))
    const [[first], [middle], [last]] = circles(svg)
    expect(middle - first).toBeCloseTo(last - middle, 2)
    expect(escaped("a\u0001<\ud800😀")).toBe("a &lt; 😀")
  })
})
