import { cpSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { readTable } from "#functions/cli/metadata-table.ts"
import { root, tempFolder, voxkin } from "#test/support/voxkin.ts"

describe("a metadata table", () => {
  const table = (text: string | Uint8Array) => {
    const file = join(tempFolder(), "m.csv")
    writeFileSync(file, text)
    return readTable(file)
  }

  test("knows a path in whichever way it is written", async () => {
    const { take, unused } = await table("source,age\n./a/b/,61\nc.nii.gz,50\nd,1\n")
    expect(take("a/b", "s-1")).toEqual({ age: 61 })
    expect(take("x/../c.nii.gz", "s-2")).toEqual({ age: 50 })
    expect(unused()).toEqual(["d"])
  })

  test.each([
    ["two rows for one path", "source,age\na,1\n./a/,2\n", /two rows for a/],
    ["Latin-1", Buffer.from("source,name\na,M\u00fcller\n", "latin1"), /not UTF-8/],
    ["UTF-16", Buffer.from("\ufeffsource,age\na,1\n", "utf16le"), /not UTF-8/],
  ])("%s is refused", async (_, text, message) => {
    await expect(table(text)).rejects.toMatchObject({ code: "bad-metadata-csv" })
    await expect(table(text)).rejects.toThrow(message)
  })
})

test("paths with spaces and letters of any kind, and a data folder that is a file", async () => {
  const folder = tempFolder()
  const scan = join(folder, "sp ace/ünï — 日本.nii.gz")
  cpSync(join(root, "test/fixtures/nifti/int16.nii.gz"), scan)
  const csv = join(folder, "m.csv")
  writeFileSync(csv, `\ufeffsource,note\r\n"${scan}","a, ""b"""\r\nno such scan,c\r\n`)
  const to = (data: string) => ["--cohort", "c", "--metadata", csv, "--data", join(folder, data), "--json"]
  const { code, lines, stderr } = await voxkin("add", scan, ...to("data"))
  expect(stderr).toContain("1 rows of")
  expect(stderr).toContain("match no series added now: no such scan")
  expect([code, lines[0].source]).toEqual([0, scan])
  await voxkin("publish", "c", "--data", join(folder, "data"))
  cpSync(join(root, "test/fixtures/nifti/padded.nii.gz"), join(folder, "other.nii.gz"))
  const found = await voxkin(
    "search",
    join(folder, "other.nii.gz"),
    "--cohort",
    "c",
    "-k",
    "1",
    ...["--data", join(folder, "data"), "--json"],
  )
  expect(found.lines[0].neighbors[0]).toMatchObject({ source: scan, metadata: { note: 'a, "b"' } })

  const refused = await voxkin("add", scan, ...to("m.csv"))
  const served = await voxkin("serve", "--port", "0", "--data", join(folder, "m.csv"), "--json")
  for (const { code, lines } of [refused, served])
    expect([code, lines[0].fault.code]).toEqual([2, "bad-data-folder"])
}, 60_000)
