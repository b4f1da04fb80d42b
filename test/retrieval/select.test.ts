import { describe, expect, test } from "vitest"
import type { Scalars } from "#shared/cohort/members.ts"
import { buildColumns, isDate, valuesOf } from "#shared/retrieval/columns.ts"
import { columnsPart, openColumns } from "#shared/retrieval/columns-part.ts"
import { parseFilter } from "#shared/retrieval/filter-parse.ts"
import { select } from "#shared/retrieval/select.ts"
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
  const site = columns.find(({ name }) => name === "site")!
  expect([site.values, [...site.codes]]).toEqual([
    ["3", "A", "true"],
    [1, 2, 3, 0],
  ])
  expect(valuesOf(columns, 2)).toEqual({ age: 70.5, sex: "F", site: "true" })
})

test("come back from the bytes of their part, whatever their types and how many values there are", () => {
  expect(openColumns(columnsPart(columns), rows.length)).toEqual(
    columns.map((column) =>
      column.type === "number" ? { ...column, values: new Float64Array(column.values as number[]) } : column,
    ),
  )
  expect(openColumns(columnsPart([]), 3)).toEqual([])
  for (const distinct of [255, 256, 65_535, 65_536]) {
    const [made] = buildColumns(Array.from({ length: 70_000 }, (_, row) => ({ a: (row % distinct) / 7 - 9 })))
    const [opened] = openColumns(columnsPart([made]), 70_000)
    expect(opened.codes.constructor).toBe(made.codes.constructor)
    expect(Buffer.compare(Buffer.from(opened.codes.slice().buffer), Buffer.from(made.codes.buffer))).toBe(0)
    for (const row of [0, distinct - 1, 69_999]) {
      expect(valuesOf([opened], row)).toEqual({ a: (row % distinct) / 7 - 9 })
    }
  }
  expect(() => openColumns(columnsPart(columns), rows.length + 8)).toThrow(RangeError)
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

test.each([
  [100, 4],
  [5000, 300], // enough for a column to know the rows of a value, and few of one value
])("any filter passes the rows that its meaning says, row by row, of %i", (count, oneIn) => {
  const next = random(11)
  const below = (n: number) => Math.floor(next() * n)
  const values = [null, 0, 1]
  const value = () => (below(oneIn) === 0 ? 2 : values[below(3)])
  const made = Array.from({ length: count }, () => ({ a: value(), b: value() }))
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

test("rows and distinct values beyond a block, and widths of codes, make no difference", () => {
  const count = 140_001
  const next = random(5)
  const made = Array.from({ length: count }, (_, row) => ({
    few: row % 7,
    some: Math.floor(1000 * next()),
    many: next(),
    id: `u${(row * 7919) % count}`,
    day: row % 3 === 0 ? null : `2024-0${1 + (row % 9)}-11`,
  }))
  const typed = buildColumns(made)
  expect(typed.map(({ codes }) => codes.BYTES_PER_ELEMENT)).toEqual([1, 1, 4, 4, 2])
  type Row = (typeof made)[number]
  const filters: [string, (row: Row) => boolean][] = [
    ["few=6", (row) => row.few === 6],
    ["some>=500 & few!=3", (row) => row.some >= 500 && row.few !== 3],
    ["many<0.25", (row) => row.many < 0.25],
    ["id=u7919", (row) => row.id === "u7919"],
    ["id<=u5 & many>=.5", (row) => row.id <= "u5" && row.many >= 0.5],
    ["id in (u1, u2, u140000, none)", (row) => ["u1", "u2", "u140000"].includes(row.id)],
    [
      "!(day>'2024-05-01') | some in (3, 5, 7)",
      (row) => !(row.day! > "2024-05-01") || [3, 5, 7].includes(row.some),
    ],
    ["day=null", (row) => row.day === null],
    ["few exists", () => true],
    ["few=9", () => false],
    ["some=7", (row) => row.some === 7],
    [
      "some=7 & (few=1 | few=2) & !(day=null)",
      (row) => row.some === 7 && [1, 2].includes(row.few) && !!row.day,
    ],
    ["few<6 & id in (u1, u2, u7919)", (row) => row.few < 6 && ["u1", "u2", "u7919"].includes(row.id)],
    [
      "id=u9 | id in (u2, u9) | some=7 & few=1",
      (row) => ["u9", "u2"].includes(row.id) || (row.some === 7 && row.few === 1),
    ],
    [
      "some=7 & (few=1 | id=u3) | many<0.0005",
      (row) => (row.some === 7 && (row.few === 1 || row.id === "u3")) || row.many < 0.0005,
    ],
    ["some<3", (row) => row.some < 3],
    ["some=2", (row) => row.some === 2], // what a column knows is as it was
    ["many>=0.9985", (row) => row.many >= 0.9985],
    ["many>=0.9985 & some>=500", (row) => row.many >= 0.9985 && row.some >= 500],
  ]
  for (const [text, holds] of filters) {
    const expected = Uint32Array.from(made.keys()).filter((row) => holds(made[row]))
    for (const time of ["first", "second"]) {
      const { buffer, byteOffset, byteLength } = select(parseFilter(text), typed)
      // Buffers: to compare so many numbers one by one would take seconds.
      const found = Buffer.from(buffer, byteOffset, byteLength)
      expect(Buffer.compare(found, Buffer.from(expected.buffer)), `${text}, the ${time} time`).toBe(0)
    }
  }
})

test("a filter as deep as one may be finds what its meaning says", () => {
  const typed = buildColumns(Array.from({ length: 64 }, (_, row) => ({ a: row })))
  const deep = (levels: number): string =>
    levels === 0 ? "a<64" : `a=${levels} | a<60 & ${levels % 25 === 0 ? "!" : ""}(${deep(levels - 1)})`
  const holds = (levels: number, a: number): boolean =>
    levels === 0 || a === levels || (a < 60 && holds(levels - 1, a) !== (levels % 25 === 0))
  for (const levels of [1, 26, 49]) {
    const expected = Array.from({ length: 64 }, (_, a) => a).filter((a) => holds(levels, a))
    expect([...select(parseFilter(deep(levels)), typed)], `${levels}`).toEqual(expected)
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
