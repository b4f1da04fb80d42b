import { describe, expect, test } from "vitest"
import type { Scalars } from "#shared/cohort/members.ts"
import { buildColumns, Columns, isDate, valuesOf } from "#shared/retrieval/columns.ts"
import { parseFilter } from "#shared/retrieval/filter-parse.ts"
import { select, selectKept } from "#shared/retrieval/select.ts"
import { random } from "./random.ts"

const rows: Scalars[] = [
  { age: 30, sex: "F", scanned: "2024-01-31", ich: true, site: 3, note: null },
  { age: 50, sex: "M", scanned: "2024-02-29", ich: false, site: "A" },
  { age: 70.5, sex: "F", scanned: null, ich: null, site: true },
  { sex: "f", scanned: "2025-01-01", ich: false, site: null },
]
const columns = buildColumns(rows)

test("types each column by what it holds", () => {
  expect(columns.map(({ name, type, mixed }) => [name, type, mixed])).toEqual([
    ["age", "number", false],
    ["ich", "boolean", false],
    ["note", "null", false],
    ["scanned", "date", false],
    ["sex", "string", false],
    ["site", "string", true],
  ])
  expect(columns.find(({ name }) => name === "site")?.values).toEqual(["3", "A", "true", null])
  expect(valuesOf(columns, 2)).toEqual({ age: 70.5, sex: "F", site: "true" })
})

test("survive JSON, and are refused when a value is not of its column's type", () => {
  expect(Columns.parse(JSON.parse(JSON.stringify(columns)))).toEqual(columns)
  expect(Columns.safeParse([{ name: "a", type: "number", mixed: false, values: [1, "2"] }]).success).toBe(
    false,
  )
})

test.each([
  ["2024-02-29", true],
  ["2023-02-29", false],
  ["2024-13-01", false],
  ["2024-2-9", false],
  ["20240229", false],
])("is %s a date", (text, yes) => {
  expect(isDate(text)).toBe(yes)
})

describe("selects", () => {
  test.each([
    ["age>=50", [1, 2]],
    ["age<50", [0]],
    ["age!=50", [0, 2, 3]],
    ["!(age=50)", [0, 2, 3]],
    ["age=null", [3]],
    ["age!=null", [0, 1, 2]],
    ["age exists", [0, 1, 2]],
    ["!age exists", [3]],
    ["age in (30, 70.5, null)", [0, 2, 3]],
    ["sex=F", [0, 2]],
    ["sex<=F", [0, 2]],
    ["scanned>2024-01-31", [1, 3]],
    ["scanned='2024-02-29'", [1]],
    ["ich=true", [0]],
    ["ich!=true", [1, 2, 3]],
    ["site='3'", [0]],
    ["note exists", []],
    ["note=7", []],
    ["note>7", []],
    ["age>=50 & sex=F", [2]],
    ["age>=50 | sex=F", [0, 1, 2]],
    ["!(age>=50 | sex=F)", [3]],
  ])("%s", (text, expected) => {
    expect([...select(parseFilter(text), columns)]).toEqual(expected)
  })
})

describe("refuses", () => {
  test.each([
    [
      "sex=F & agee>5",
      "unknown-column",
      "at 9: there is no column 'agee'; there are: age, ich, note, scanned",
    ],
    ["age='50'", "bad-filter", "column 'age' holds numbers, and cannot be compared with the string"],
    ["age<F", "bad-filter", "holds numbers"],
    ["sex>5", "bad-filter", "column 'sex' holds strings, and cannot be compared with the number 5"],
    ["site=3", "bad-filter", "mixed types, compared as text"],
    ["ich>=true", "bad-filter", "holds booleans: use = or !="],
    ["scanned>2024", "bad-filter", "holds dates"],
    ["scanned='2024-02-30'", "bad-filter", "holds dates"],
    ["age<null", "bad-filter", "cannot be smaller or larger than null"],
    ["age in (1, x)", "bad-filter", "holds numbers"],
  ])("%s", (text, code, message) => {
    expect(() => select(parseFilter(text), columns)).toThrow(
      expect.objectContaining({ kind: "invalid", code, message: expect.stringContaining(message) }),
    )
  })

  test("any column of a cohort without metadata", () => {
    expect(() => select(parseFilter("a=1"), buildColumns([{}, {}]))).toThrow("no metadata")
  })
})

test("any filter passes the rows that its meaning says, row by row", () => {
  const next = random(11)
  const below = (n: number) => Math.floor(next() * n)
  const values = [null, 0, 1, 2]
  const made = Array.from({ length: 50 }, () => ({ a: values[below(4)], b: values[below(4)] }))
  const typed = buildColumns(made)
  type Row = (typeof made)[number]

  /** A random filter, as text and as the function it should be. */
  function some(depth: number): [string, (row: Row) => boolean] {
    const kind = depth === 0 ? 3 + below(3) : below(6)
    const column = below(2) === 0 ? "a" : "b"
    const value = below(3)
    if (kind === 0) {
      const [text, holds] = some(depth - 1)
      return [`!(${text})`, (row) => !holds(row)]
    }
    if (kind === 1 || kind === 2) {
      const [[left, l], [right, r]] = [some(depth - 1), some(depth - 1)]
      return kind === 1
        ? [`(${left} & ${right})`, (row) => l(row) && r(row)]
        : [`(${left} | ${right})`, (row) => l(row) || r(row)]
    }
    if (kind === 3) return [`${column} exists`, (row) => row[column] !== null]
    if (kind === 4) return [`${column} in (${value}, 2)`, (row) => [value, 2].includes(row[column]!)]
    const op = ["=", "!=", "<", "<=", ">", ">="][below(6)]
    return [`${column}${op}${value}`, (row) => meaning(row[column], op, value)]
  }

  for (let round = 0; round < 300; round++) {
    const [text, holds] = some(4)
    const expected = made.flatMap((row, i) => (holds(row) ? [i] : []))
    expect([...select(parseFilter(text), typed)], text).toEqual(expected)
  }
})

function meaning(left: number | null, op: string, right: number): boolean {
  switch (op) {
    case "=":
      return left === right
    case "!=":
      return left !== right
    case "<":
      return left !== null && left < right
    case "<=":
      return left !== null && left <= right
    case ">":
      return left !== null && left > right
    default:
      return left !== null && left >= right
  }
}

test("filters that are kept give the rows of their own columns, and the oldest give way", () => {
  const ages = (more: number) => buildColumns(Array.from({ length: 50 }, (_, row) => ({ age: row + more })))
  const [one, other] = [ages(0), ages(20)]
  const ask = (text: string, columns: typeof one) => selectKept(text, parseFilter(text), columns)
  const first = ask("age<30", one)
  expect([first.length, ask("age<30", other).length]).toEqual([30, 10])
  expect(ask("age<30", one)).toBe(first)
  expect(() => ask("size<30", one)).toThrow("size")
  expect(() => ask("size<30", one)).toThrow("size")
  for (let limit = 0; limit < 20; limit++) expect(ask(`age<${limit}`, one)).toHaveLength(limit)
  expect(ask("age<30", one)).not.toBe(first)
  expect(ask("age<30", one)).toEqual(first)
})
