import { expect, test } from "vitest"
import { api } from "#test/support/api.ts"

const promised = [
  "POST /v1/series",
  "GET /v1/series/{series}",
  "DELETE /v1/series/{series}",
  "GET /v1/cohorts",
  "PUT /v1/cohorts/{cohort}",
  "GET /v1/cohorts/{cohort}",
  "DELETE /v1/cohorts/{cohort}",
  "GET /v1/cohorts/{cohort}/members/{series}",
  "PUT /v1/cohorts/{cohort}/members/{series}",
  "POST /v1/cohorts/{cohort}/publish",
  "POST /v1/cohorts/{cohort}/rollback",
  "GET /v1/cohorts/{cohort}/snapshots",
  "POST /v1/cohorts/{cohort}/recall",
  "POST /v1/search",
  "POST /v1/probes",
  "GET /v1/probes",
  "GET /v1/probes/{name}",
  "POST /v1/probes/{name}/predict",
  "GET /v1/probes/{name}/versions",
  "GET /v1/probes/{name}/versions/{version}",
  "GET /v1/probes/{name}/versions/{version}/parts",
  "GET /v1/probes/{name}/versions/{version}/parts/{part}",
  "POST /v1/probes/{name}/promote",
  "POST /v1/probes/{name}/rollback",
  "POST /v1/probes/{name}/evaluations",
  "GET /v1/probes/{name}/evaluations",
  "POST /v1/learning-curves",
  "GET /v1/probes/{name}/learning-curve",
  "GET /v1/jobs",
  "GET /v1/jobs/{job}",
  "DELETE /v1/jobs/{job}",
  "GET /v1/jobs/{job}/events",
  "GET /v1/info",
  "GET /healthz",
  "GET /readyz",
]

test("the OpenAPI document is 3.1 and holds every route, each with its problems", async () => {
  const { json } = await api().call("GET", "/openapi.json")
  expect(json.openapi).toBe("3.1.0")
  const routes = Object.entries<object>(json.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(routes).toEqual(expect.arrayContaining(promised))
  const refs = [...JSON.stringify(json).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map((m) => m[1])
  expect(Object.keys(json.components.schemas)).toEqual(expect.arrayContaining(refs))
})

test("the docs page fetches nothing from elsewhere, and its assets are served", async () => {
  const { call } = api()
  const page = await call("GET", "/docs")
  expect(page.status).toBe(200)
  const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((m) => m[1])
  expect(assets.filter((asset) => !asset.startsWith("/docs/") && !asset.startsWith("data:"))).toEqual([])
  for (const asset of assets.filter((a) => a.startsWith("/docs/"))) {
    expect((await call("GET", asset)).status).toBe(200)
  }
})
