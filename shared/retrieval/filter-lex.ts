import { Fault } from "#shared/errors.ts"

/** One piece of a filter's text; `at` is the position of its first character, from 1. */
export interface Token {
  kind: "word" | "quoted" | "symbol" | "end"
  text: string
  at: number
}

/** Blanks, then a symbol, a bare word, or a quote's begin; nothing where the text ends. */
const piece = /\s*(?:([!<>]=|[=<>!&|(),])|([^\s=!<>&|(),"']+)|(["']))?/y

/** @throws Fault `invalid` / `bad-filter` with the position */
export function lexFilter(text: string): Token[] {
  const tokens: Token[] = []
  piece.lastIndex = 0
  while (piece.lastIndex < text.length) {
    const [, symbol, word, quote] = piece.exec(text)!
    const end = piece.lastIndex
    if (symbol) tokens.push({ kind: "symbol", text: symbol, at: end - symbol.length + 1 })
    else if (word) tokens.push({ kind: "word", text: word, at: end - word.length + 1 })
    else if (quote) {
      const [value, after] = quoted(text, end - 1)
      tokens.push({ kind: "quoted", text: value, at: end })
      piece.lastIndex = after
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
