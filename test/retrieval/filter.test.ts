import { describe, expect, test } from "vitest"
import { parseFilter } from "#shared/retrieval/filter-parse.ts"

const shape = (text: string) => JSON.parse(JSON.stringify(parseFilter(text)))
const compare = (column: string, op: string, value: unknown, at: number) => ({
  kind: "compare",
  column,
  op,
  value,
  at,
})

describe("parses", () => {
  test.each([
    ["age>=50", compare("age", ">=", 50, 1)],
    ["  age != -1.5e1", compare("age", "!=", -15, 3)],
    ["sex=F", compare("sex", "=", "F", 1)],
    ['"slice thickness" < 2', compare("slice thickness", "<", 2, 1)],
    ["note='it''", undefined],
    ["note='it\\'s'", compare("note", "=", "it's", 1)],
    ['age="50"', compare("age", "=", "50", 1)],
    ["ich=true", compare("ich", "=", true, 1)],
    ["ich='true'", compare("ich", "=", "true", 1)],
    ["ich=null", compare("ich", "=", null, 1)],
    ["scanned>2024-02-29", compare("scanned", ">", "2024-02-29", 1)],
    ["uid=1.2.840.1", compare("uid", "=", "1.2.840.1", 1)],
    ["größe<=+3", compare("größe", "<=", 3, 1)],
    ["age exists", { kind: "exists", column: "age", at: 1 }],
    ["in in (1, null, x)", { kind: "in", column: "in", values: [1, null, "x"], at: 1 }],
    ["!a=1", { kind: "not", of: compare("a", "=", 1, 2) }],
    ["!!a=1", { kind: "not", of: { kind: "not", of: compare("a", "=", 1, 3) } }],
    [
      "a=1&b=2&c=3",
      { kind: "and", of: [compare("a", "=", 1, 1), compare("b", "=", 2, 5), compare("c", "=", 3, 9)] },
    ],
    [
      "a=1|b=2&!c=3",
      {
        kind: "or",
        of: [
          compare("a", "=", 1, 1),
          { kind: "and", of: [compare("b", "=", 2, 5), { kind: "not", of: compare("c", "=", 3, 10) }] },
        ],
      },
    ],
    [
      "(a=1|b=2)&c=3",
      {
        kind: "and",
        of: [
          { kind: "or", of: [compare("a", "=", 1, 2), compare("b", "=", 2, 6)] },
          compare("c", "=", 3, 11),
        ],
      },
    ],
    ["((a=1))", compare("a", "=", 1, 3)],
  ])("%s", (text, filter) => {
    if (filter) expect(shape(text)).toEqual(filter)
    else expect(() => parseFilter(text)).toThrow()
  })
})

describe("refuses, with the position", () => {
  test.each([
    ["", "at 1: the filter ends where a column's name"],
    ["age >", "at 6: the filter ends where a value"],
    ["age", "at 4: the filter ends where one of ="],
    ["age 50", "at 5: '50' stands where one of ="],
    ["age = = 5", "at 7: '=' stands where a value"],
    ["age == 5", "at 6: '=' stands where a value"],
    ["a=1 b=2", "at 5: 'b' stands where & or |"],
    ["a=1 && b=2", "at 6: '&' stands where a column's name"],
    ["(a=1", "at 5: the filter ends where ')'"],
    ["a=1)", "at 4: ')' stands where & or |"],
    ["a in 1", "at 6: '1' stands where '('"],
    ["a in ()", "at 7: ')' stands where a value"],
    ["a in (1,)", "at 9: ')' stands where a value"],
    ["a = 'x", "at 5: this quote is never closed"],
    ["a = 1e999", "at 5: 1e999 is beyond any number"],
    ["= 1", "at 1: '=' stands where a column's name"],
    [`${"(".repeat(51)}a=1${")".repeat(51)}`, "at 51: more than 50 levels"],
    [`${"!".repeat(60)}a=1`, "at 51: more than 50 levels"],
    ["a".repeat(4001), "at 4001: at most 4000 characters"],
  ])("%s", (text, message) => {
    expect(() => parseFilter(text)).toThrow(
      expect.objectContaining({
        kind: "invalid",
        code: "bad-filter",
        message: expect.stringContaining(message),
      }),
    )
  })
})

test("many siblings are no depth", () => {
  expect(parseFilter(Array.from({ length: 400 }, () => "(a=1)").join("&")).kind).toBe("and")
})
