import { Fault } from "#shared/errors.ts"

/** One piece of a filter's text; `at` is the position of its first character, from 1. */
export interface Token {
  kind: "word" | "quoted" | "symbol" | "end"
  text: string
  at: number
}

const symbols = ["!=", "<=", ">=", "=", "<", ">", "!", "&", "|", "(", ")", ","]
const word = /[^\s=!<>&|(),"']+/y

/** @throws Fault `invalid` / `bad-filter` with the position */
export function lexFilter(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const c = text[at]
    if (/\s/.test(c)) {
      at++
      continue
    }
    const symbol = symbols.find((s) => text.startsWith(s, at))
    if (symbol) {
      tokens.push({ kind: "symbol", text: symbol, at: at + 1 })
      at += symbol.length
    } else if (c === '"' || c === "'") {
      const [value, end] = quoted(text, at)
      tokens.push({ kind: "quoted", text: value, at: at + 1 })
      at = end
    } else {
      word.lastIndex = at
      const found = word.exec(text)![0]
      tokens.push({ kind: "word", text: found, at: at + 1 })
      at += found.length
    }
  }
  tokens.push({ kind: "end", text: "the end", at: text.length + 1 })
  return tokens
}

/** The text between quotes; a backslash takes the next character as it is. */
function quoted(text: string, start: number): [value: string, end: number] {
  let value = ""
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === text[start]) return [value, i + 1]
    if (text[i] === "\\") i++
    value += text[i] ?? ""
  }
  throw badFilter(start + 1, "this quote is never closed")
}

export function badFilter(at: number, what: string): Fault {
  return new Fault("invalid", "bad-filter", `the filter is wrong at ${at}: ${what}`)
}
