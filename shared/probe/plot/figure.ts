import { type Mark, type Place, sign } from "./marks.ts"
import { type Caption, page, side } from "./page.ts"
import { drawPanel, margin, type Panel } from "./panel.ts"
import { text, wrapped } from "./svg.ts"

/** The name and version of a probe and how many patients (or series) its numbers are of. */
export function subtitleOf(probe: { name: string; version: string }, count: number, who: string): string {
  return `probe ${probe.name}, version ${probe.version}, ${count} ${who}`
}

/** Rows of numbers below the lower axis, one column per tick of it: how many are still at risk. */
export interface Below {
  title: string
  rows: { name: string; color: string; cells: { at: number; words: string }[] }[]
}

export interface Figure extends Caption {
  /** Side by side, each as wide as high. */
  panels: Panel[]
  /** Words for which no mark stands. */
  remarks?: string[]
  /** Of the first panel. */
  below?: Below
  /** Pixels of the axes of each panel. */
  size?: { width: number; height: number }
}

/** Pixels from one line of words to the next. */
const row = 19
/** The legend starts a little left of the axes, for it may be wide. */
const legendLeft = 36

/** A whole SVG document: caption, panels side by side, and below them the legend of all named marks. */
export function figure({ panels, remarks = [], below, size, ...caption }: Figure): string {
  const { width, height } = size ?? { width: panels.length > 1 ? 350 : 480, height: 350 }
  const pitch = margin.left + width + margin.right
  const whole = pitch * panels.length
  const legend = panels.flatMap(({ marks }) => marks).filter(({ name }) => name !== undefined)
  const notes = remarks.flatMap((words) => wrapped(words, whole - legendLeft - side, 12))
  return page(caption, whole, (top) => {
    const places = panels.map((_, i): Place => ({ left: i * pitch + margin.left, top, width, height }))
    const belowTop = top + height + margin.bottom + 8
    const legendTop = belowTop + (below ? row * (below.rows.length + 1) + 8 : 0)
    return {
      height: legendTop + row * (legend.length + notes.length) + 8,
      content: [
        ...panels.map((panel, i) => drawPanel(panel, places[i], `axes-${i}`)),
        below ? drawBelow(below, panels[0], places[0], belowTop) : "",
        ...legend.map((mark, i) => entry(mark, legendTop + row * i, whole)),
        ...notes.map((words, i) =>
          text(legendLeft, legendTop + row * (legend.length + i) + 4, words, { size: 12, color: "#444" }),
        ),
      ],
    }
  })
}

function entry(mark: Mark, y: number, whole: number): string {
  const words = text(legendLeft + 30, y + 4, mark.name ?? "", {
    size: 12,
    width: whole - legendLeft - 30 - side,
  })
  return sign(mark, legendLeft, y) + words
}

function drawBelow({ title, rows }: Below, { x }: Panel, place: Place, from: number): string {
  const at = (value: number) => place.left + (place.width * (value - x.from)) / (x.to - x.from)
  return [
    text(place.left, from + 4, title, { size: 12, color: "#444" }),
    ...rows.flatMap(({ name, color, cells }, i) => {
      const y = from + row * (i + 1) + 4
      const first = text(place.left - 20, y, name, {
        size: 12,
        anchor: "end",
        color,
        width: 50,
      })
      return [
        first,
        ...cells.map((cell) => text(at(cell.at), y, cell.words, { size: 12, anchor: "middle", color })),
      ]
    }),
  ].join("")
}
