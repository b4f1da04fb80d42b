import { describe, expect, test } from "vitest"
import { createCohort } from "#shared/cohort/cohort.ts"
import { labelCohort } from "#shared/cohort/label.ts"
import { addMember, getMember } from "#shared/cohort/members.ts"
import { metadataTable } from "#shared/cohort/metadata-table.ts"
import { api } from "../support/api.ts"
import { encoder, now, scratchStore, seriesNo } from "./scratch.ts"

async function three() {
  const objects = scratchStore()
  await fill(objects)
  return objects
}

async function fill(objects: ReturnType<typeof scratchStore>) {
  await createCohort(objects, "c", encoder, now)
  for (const n of [1, 2, 3]) {
    const member = { series: seriesNo(n), source: `scans/${n}.nii.gz`, labels: { old: n, grade: "low" } }
    await addMember(objects, "c", member, now)
  }
}

describe("labels that come later", () => {
  test("are laid over those there are, by source or series; rows of no series are listed", async () => {
    const objects = await three()
    const csv = "source,grade,died\n./scans/1.nii.gz,high,true\nscans/2.nii.gz,,false\nelsewhere/9,low,true\n"
    expect(await labelCohort(objects, "c", metadataTable(csv))).toEqual({
      cohort: "c",
      labelled: 2,
      without: 1,
      unknown: { count: 1, rows: ["elsewhere/9"] },
    })
    const labels = async (n: number) => (await getMember(objects, "c", seriesNo(n)))?.labels
    expect(await labels(1)).toEqual({ old: 1, grade: "high", died: true })
    expect(await labels(2)).toEqual({ old: 2, grade: null, died: false })
    expect(await labels(3)).toEqual({ old: 3, grade: "low" })

    await labelCohort(objects, "c", metadataTable(`series,old\n${seriesNo(3)},33\n`))
    expect(await labels(3)).toEqual({ old: 33, grade: "low" })
  })

  test("a table of none of its series, a cohort that is not there, a bad table: faults, and nothing changes", async () => {
    const objects = await three()
    const label = (csv: string, cohort = "c") => labelCohort(objects, cohort, metadataTable(csv))
    await expect(label("source,old\nelsewhere/9,1\n")).rejects.toMatchObject({ code: "no-such-series" })
    await expect(label("source,old\nscans/1.nii.gz,7\n", "d")).rejects.toMatchObject({
      code: "no-such-cohort",
    })
    expect((await getMember(objects, "c", seriesNo(1)))?.labels).toEqual({ old: 1, grade: "low" })
  })

  test("two at once lose nothing of each other", async () => {
    const objects = await three()
    const column = (name: string) => `source,${name}\nscans/1.nii.gz,1\nscans/2.nii.gz,2\nscans/3.nii.gz,3\n`
    await Promise.all(["a", "b", "c"].map((name) => labelCohort(objects, "c", metadataTable(column(name)))))
    const member = await getMember(objects, "c", seriesNo(2))
    expect(member?.labels).toEqual({ old: 2, grade: "low", a: 2, b: 2, c: 2 })
  })

  test("over HTTP, as CSV", async () => {
    const { call, ports } = api()
    await fill(ports.objects)
    const csv = (text: string) =>
      call("POST", "/v1/cohorts/c/labels", new TextEncoder().encode(text), { "content-type": "text/csv" })
    const { status, json } = await csv("source,died\nscans/1.nii.gz,true\nnobody,true\n")
    expect([status, json.labelled, json.unknown.rows]).toEqual([200, 1, ["nobody"]])
    const bad = await csv("source,died\nscans/1.nii.gz\n")
    expect([bad.status, bad.json.code]).toEqual([400, "bad-metadata-csv"])
  })
})
