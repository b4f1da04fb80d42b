import { expect, test } from "vitest"
import { keepOverlay } from "#shared/probe/explain/overlays.ts"
import { fitProbe } from "#shared/probe/fit.ts"
import { keys } from "#shared/store/keys.ts"
import { api } from "#test/support/api.ts"
import { fillCohort, now, seriesId } from "../probe/cohort.ts"

test("plots are served as images that can run nothing; others are faults", async () => {
  const { app, ports, bugs } = api()
  const rows = Array.from({ length: 12 }, (_, n) => ({ signal: n % 2, labels: { y: n % 2 } }))
  await fillCohort(ports.objects, rows)
  const record = await fitProbe(ports.objects, {
    name: "p",
    cohort: "c",
    label: "y",
    task: "classification",
    now,
  })
  const series = seriesId(3)
  const picture = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>')
  await keepOverlay(ports.objects, { probe: "p", version: record.version, series }, picture)
  for (const plot of [...record.plots, `overlay-${series}.svg`]) {
    const answer = await app.request(`/v1/probes/p/plots/${plot}?version=${record.version}`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get("content-type")).toBe("image/svg+xml")
    expect(answer.headers.get("content-security-policy")).toBe("default-src 'none'; sandbox")
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff")
    expect(await answer.text()).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/)
  }
  for (const [path, status, code] of [
    ["p/plots/errors.svg", 404, "no-such-plot"],
    [`p/plots/overlay-${seriesId(4)}.svg`, 404, "no-such-plot"],
    ["p/plots/probe.json", 404, "no-such-plot"],
    ["p/plots/..%2Fcurrent.json", 404, "no-such-plot"],
    ["p/plots/roc.svg?version=20250304T050607089Z-00000000", 404, "no-such-version"],
    ["p/plots/roc.svg?version=newest", 400, "bad-request"],
    ["q/plots/roc.svg", 404, "no-such-probe"],
  ] as const) {
    const answer = await app.request(`/v1/probes/${path}`)
    expect([answer.status, (await answer.json()).code]).toEqual([status, code])
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'self'")
  }
  const overlay = `/v1/probes/p/plots/overlay-${series}.svg`
  expect((await app.request(`/v1/series/${series}`, { method: "DELETE" })).status).toBe(204)
  expect((await app.request(overlay)).status).toBe(404)
  await ports.objects.delete(keys.probePart("p", record.version, "roc.svg"))
  const gone = await app.request("/v1/probes/p/plots/roc.svg")
  expect([gone.status, (await gone.json()).code]).toEqual([503, "corrupt-probe"])
  expect(bugs).toEqual([])
})
