/** Attributes of an element; those that are undefined are left out. */
export type Attributes = Record<string, string | number | undefined>

/** An SVG element with its content, which must be SVG already: text goes through `escaped` first. */
export function element(name: string, attributes: Attributes, ...content: string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? short(value) : escaped(String(value))}"`)
    .join("")
  return content.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${content.join("")}</${name}>`
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
}

/** Text as XML takes it; control characters, which XML 1.0 knows no way to write, become spaces. */
export function escaped(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      .replace(/[\u0000-\u001f\u007f\ufffe\uffff]|\p{Surrogate}/gu, " ")
      .replace(/[&<>"']/g, (character) => entities[character])
  )
}

/** About the width of a letter of a wide sans-serif font, of its size. */
const letter = 0.57

export interface TextOptions {
  size?: number
  anchor?: "start" | "middle" | "end"
  color?: string
  weight?: "bold"
  /** Degrees, about the point. */
  turn?: number
  /** What does not fit this many pixels ends in an ellipsis; the whole text shows when pointed at. */
  width?: number
}

export function text(x: number, y: number, words: string, options: TextOptions = {}): string {
  const {
    size = 13,
    anchor = "start",
    color = "#222",
    weight,
    turn,
    width = Number.POSITIVE_INFINITY,
  } = options
  const room = Math.max(1, Math.floor(width / (letter * size)))
  const letters = [...words]
  const cut = letters.length > room
  const shown = cut ? `${letters.slice(0, room - 1).join("")}…` : words
  return element(
    "text",
    {
      x,
      y,
      "font-size": size,
      "text-anchor": anchor,
      fill: color,
      "font-weight": weight,
      transform: turn === undefined ? undefined : `rotate(${turn} ${short(x)} ${short(y)})`,
    },
    cut ? element("title", {}, escaped(words)) : "",
    escaped(shown),
  )
}

/** The words in lines of at most this many pixels; a single word that is longer has a line of its own. */
export function wrapped(words: string, width: number, size: number): string[] {
  const room = Math.floor(width / (letter * size))
  const lines: string[] = []
  for (const word of words.split(" ")) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= room)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** A hundredth of a pixel is enough. */
export function short(value: number): string {
  return String(Math.round(value * 100) / 100)
}
