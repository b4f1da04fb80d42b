import { element, escaped, text, wrapped } from "./svg.ts"

/** What stands above every plot. */
export interface Caption {
  title: string
  /** Whose numbers these are: `subtitleOf` a record. */
  subtitle: string
}

/** Pixels left free at both sides. */
export const side = 16

/**
 * A whole SVG document under its caption.
 * @param draw what to draw below the caption, from `top` on, and how high the whole page is with it, in pixels
 */
export function page(
  { title, subtitle }: Caption,
  width: number,
  draw: (top: number) => { height: number; content: string[] },
): string {
  const under = wrapped(subtitle, width - 2 * side, 12)
  const { height, content } = draw(50 + 16 * under.length)
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "font-family": "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif",
    },
    element("title", {}, escaped(`${title}: ${subtitle}`)),
    element("rect", { width, height, fill: "#fff" }),
    text(side, 28, title, { size: 17, weight: "bold", width: width - 2 * side }),
    ...under.map((words, i) =>
      text(side, 48 + 16 * i, words, { size: 12, color: "#555", width: width - 2 * side }),
    ),
    ...content,
  )
}
