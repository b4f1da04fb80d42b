import type { Comparison, Filter, FilterValue } from "./filter.ts"
import { badFilter, lexFilter, type Token } from "./filter-lex.ts"

const longest = 4000
const deepest = 50
const comparisons = ["=", "!=", "<", "<=", ">", ">="]
const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/**
 * Parses `age>=50 & (sex=F | !(kernel in (B30f, "B 31"))) & dose exists`. `!` binds tightest, then `&`, then `|`.
 * A column or a text with spaces or symbols is quoted, with " or '; bare 50, true, null are number, boolean, null.
 * @throws Fault `invalid` / `bad-filter` with the position, counted in characters from 1
 */
export function parseFilter(text: string): Filter {
  if (text.length > longest) throw badFilter(longest + 1, `at most ${longest} characters are read`)
  const tokens = lexFilter(text)
  let next = 0
  let depth = 0

  const is = (symbol: string) => tokens[next].kind === "symbol" && tokens[next].text === symbol
  const take = (symbol: string): boolean => {
    if (!is(symbol)) return false
    next++
    return true
  }
  const expect = (symbol: string) => {
    if (!take(symbol)) throw unexpected(tokens[next], `'${symbol}'`)
  }

  function list(kind: "or" | "and", symbol: string, part: () => Filter): Filter {
    const of = [part()]
    while (take(symbol)) of.push(part())
    return of.length === 1 ? of[0] : { kind, of }
  }
  const or = (): Filter => list("or", "|", and)
  const and = (): Filter => list("and", "&", not)

  function not(): Filter {
    if (!is("!") && !is("(")) return test()
    if (++depth > deepest)
      throw badFilter(tokens[next].at, `more than ${deepest} levels of ! and parentheses`)
    let inner: Filter
    if (take("!")) inner = { kind: "not", of: not() }
    else {
      next++
      inner = or()
      expect(")")
    }
    depth--
    return inner
  }

  function test(): Filter {
    const name = tokens[next]
    if (name.kind !== "word" && name.kind !== "quoted") throw unexpected(name, "a column's name")
    next++
    const column = name.text
    const at = name.at
    const op = tokens[next]
    if (op.kind === "symbol" && comparisons.includes(op.text)) {
      next++
      return { kind: "compare", column, op: op.text as Comparison, value: value(), at }
    }
    if (op.kind === "word" && op.text === "exists") {
      next++
      return { kind: "exists", column, at }
    }
    if (op.kind === "word" && op.text === "in") {
      next++
      expect("(")
      const values = [value()]
      while (take(",")) values.push(value())
      expect(")")
      return { kind: "in", column, values, at }
    }
    throw unexpected(op, "one of = != < <= > >= in exists")
  }

  function value(): FilterValue {
    const token = tokens[next]
    if (token.kind !== "word" && token.kind !== "quoted") throw unexpected(token, "a value")
    next++
    if (token.kind === "quoted") return token.text
    if (token.text === "null") return null
    if (token.text === "true" || token.text === "false") return token.text === "true"
    if (!number.test(token.text)) return token.text
    const parsed = Number(token.text)
    if (!Number.isFinite(parsed)) throw badFilter(token.at, `${token.text} is beyond any number`)
    return parsed
  }

  const filter = or()
  if (tokens[next].kind !== "end") throw unexpected(tokens[next], "& or | or the end")
  return filter
}

function unexpected(token: Token, wanted: string) {
  const found = token.kind === "end" ? "the filter ends" : `'${token.text.slice(0, 40)}' stands`
  return badFilter(token.at, `${found} where ${wanted} is expected`)
}
