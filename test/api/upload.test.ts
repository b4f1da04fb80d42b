import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { piecesOf } from "#functions/api/body.ts"
import { putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import { api } from "#test/support/api.ts"
import { root } from "#test/support/voxkin.ts"
import { zipOf } from "#test/volume/zip-writer.ts"

const scan = new Uint8Array(readFileSync(join(root, "test/fixtures/nifti/int16.nii.gz")))

function dicomZip(...sets: string[]): Uint8Array {
  const files = sets.flatMap((set) =>
    readdirSync(join(root, "test/fixtures/dicom", set)).map((file) => join(set, file)),
  )
  const bytes = (name: string) => readFileSync(join(root, "test/fixtures/dicom", name))
  return zipOf(files.map((name) => ({ name, bytes: bytes(name) })))
}

describe("uploads", () => {
  test.each([
    ["an empty source", "source=", "source"],
    ["a source with a NUL", "source=a%00b", "control character"],
    ["a source of two lines", "source=a%0Ab", "control character"],
    ["a source too long", `source=${"a".repeat(513)}`, "512"],
    ["two sources", "source=a&source=b", "source"],
  ])("%s is refused", async (_, query, named) => {
    const { call, ports } = api()
    const { status, json } = await call("POST", `/v1/series?cohort=c&${query}`, scan)
    expect([status, json.code]).toEqual([400, "bad-request"])
    expect(json.detail).toContain(named)
    expect(await ports.objects.list("")).toEqual([])
  })

  test("a form is refused at once, with the way to send it", async () => {
    const { call } = api()
    const form = { "content-type": "multipart/form-data; boundary=x" }
    const { status, json } = await call("POST", "/v1/series?cohort=c", scan, form)
    expect([status, json.code]).toEqual([400, "content-type"])
    expect(json.detail).toContain("--data-binary")
  })

  test("a cohort whose encoder is not here takes none, before the body is read", async () => {
    const { call, ports } = api()
    const cohort = { cohort: "c", encoder: "lost-0123456789ab", createdAt: new Date().toISOString() }
    await putJson(ports.objects, keys.cohort("c"), cohort)
    const { status, json } = await call("POST", "/v1/series?cohort=c", scan)
    expect([status, json.code]).toEqual([409, "no-encoder"])
    expect(json.detail).toContain("lost-0123456789ab")
    expect(await ports.objects.list("uploads/")).toEqual([])
  })

  test("a body may have its limit and no byte more, told or not", async () => {
    const request = (body: BodyInit, headers = {}) =>
      new Request("http://127.0.0.1", { method: "POST", body, headers })
    const sizes = async (of: Request) => {
      let size = 0
      for await (const piece of piecesOf(of, 4)) size += piece.length
      return size
    }
    expect(await sizes(request("1234"))).toBe(4)
    await expect(sizes(request("12345"))).rejects.toMatchObject({ kind: "too_large" })
    await expect(sizes(request("1234", { "content-length": "5" }))).rejects.toMatchObject({
      kind: "too_large",
    })
  })

  test("a zip of many series embeds each, counts what is none, and a second time embeds nothing", async () => {
    const { call, finished, bugs } = api()
    const zip = dicomZip("explicit-le", "sagittal", "mr-series", "no-spacing")
    const results = []
    for (const source of ["first", "again"]) {
      const { json } = await call("POST", `/v1/series?cohort=c&source=${source}`, zip)
      const job = await finished(json.job)
      expect(job.state).toBe("succeeded")
      results.push(job.result)
    }
    const statuses = results.map(({ series }) => series.map((s: { status: string }) => s.status).sort())
    expect(statuses).toEqual([
      ["embedded", "embedded", "rejected"],
      ["already", "already", "rejected"],
    ])
    expect(results[0].setAside).toEqual({ "not-ct": 28 })
    const { json } = await call("GET", "/v1/cohorts/c/members")
    expect(json.members.map((m: { source: string }) => m.source).sort()).toEqual([
      "again/explicit-le",
      "again/sagittal",
    ])
    expect(bugs).toEqual([])
  })

  test("a zip of MR alone fails with the reason", async () => {
    const { call, finished } = api()
    const { json } = await call("POST", "/v1/series?cohort=c", dicomZip("mr-series"))
    expect(await finished(json.job)).toMatchObject({ state: "failed", fault: { code: "not-ct" } })
  })
})
