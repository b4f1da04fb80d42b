import { expect, test } from "vitest"
import { readMetadataCsv } from "#shared/cohort/metadata-csv.ts"

test("types numbers, booleans and absences; dates and names stay text", () => {
  const { key, rows } = readMetadataCsv(
    [
      "\uFEFFsource,age,female,scanned,kernel,ward,accession,dose",
      "a/1.nii.gz,61,true,2024-02-29,B30f,007,12345678901234567890,1.5e2",
      '"b, 2.nii",-0.5,FALSE,,"B ""31""",,x,',
      "",
    ].join("\r\n"),
  )
  expect(key).toBe("source")
  expect([...rows]).toEqual([
    [
      "a/1.nii.gz",
      {
        age: 61,
        female: true,
        scanned: "2024-02-29",
        kernel: "B30f",
        ward: "007",
        accession: "12345678901234567890",
        dose: 150,
      },
    ],
    [
      "b, 2.nii",
      { age: -0.5, female: false, scanned: null, kernel: 'B "31"', ward: null, accession: "x", dose: null },
    ],
  ])
})

test("where both are there, series is the key and neither is metadata", () => {
  const { key, rows } = readMetadataCsv("source,series,age\nx,s-1,5\n")
  expect(key).toBe("series")
  expect([...rows]).toEqual([["s-1", { age: 5 }]])
})

test("a header alone is no rows", () => {
  expect(readMetadataCsv("series,age\n").rows.size).toBe(0)
})

test.each([
  ["nothing", "", "empty"],
  ["no key column", "age,sex\n1,F\n", "line 1 has no column 'series' or 'source'"],
  ["a column twice", "source,age,age\nx,1,2\n", "line 1 names the column 'age' twice"],
  ["a column without a name", "source,,age\nx,1,2\n", "column 2 has no usable name"],
  ["a key twice", "source,age\nx,1\ny,2\nx,3\n", "lines 2 and 4 have the same 'source'"],
  ["a row without its key", "source,age\nx,1\n,2\n", "line 3 has no 'source'"],
  ["a short row", "source,age\nx,1\n\ny\n", "line 4 has 1 cells where the header has 2"],
  ["a long row", "source,age\nx,1,2\n", "line 2 has 3 cells where the header has 2"],
  ["a long row after a cell of two lines", 'source,age\n"x\ny",1\nz,1,2\n', "line 4 has 3 cells"],
  ["an open quote", 'source,age\nx,1\n"y,2\n', "cannot be parsed at line"],
])("refuses %s", (_, text, message) => {
  expect(() => readMetadataCsv(text)).toThrow(
    expect.objectContaining({
      kind: "invalid",
      code: "bad-metadata-csv",
      message: expect.stringContaining(message),
    }),
  )
})

test("a parse fault does not repeat the file's contents", () => {
  expect(() => readMetadataCsv('source,name\nx,Jane "Doe"\n')).toThrow(/^(?!.*Doe)/)
})
