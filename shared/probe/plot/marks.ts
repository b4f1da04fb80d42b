import { type Axis, along } from "./axis.ts"
import { element, short } from "./svg.ts"

export interface Point {
  x: number
  y: number
}

interface Named {
  color: string
  /** Stands in the legend if given. */
  name?: string
}

/** What is drawn on a plot, in the numbers of its axes. */
export type Mark = Named &
  (
    | { kind: "line"; points: Point[]; dashed?: boolean; width?: number }
    /** Keeps each value until the next. */
    | { kind: "steps"; points: Point[] }
    | { kind: "band"; points: { x: number; low: number; high: number }[] }
    | { kind: "whiskers"; points: { x: number; low: number; high: number }[] }
    | { kind: "dots"; points: Point[]; radius?: number; faint?: boolean }
    /** Upright ticks on lines: where series were lost from sight. */
    | { kind: "notches"; points: Point[] }
    | { kind: "bars"; bars: { from: number; to: number; height: number }[] }
  )

/** Where on the page a plot lies, in pixels. */
export interface Place {
  left: number
  top: number
  width: number
  height: number
}

/** From the numbers of the axes to pixels. */
export interface Scale {
  x: (value: number) => number
  y: (value: number) => number
}

export function scaleOf({ left, top, width, height }: Place, x: Axis, y: Axis): Scale {
  return {
    x: (value) => left + width * along(x, value),
    y: (value) => top + height * (1 - along(y, value)),
  }
}

export function draw(mark: Mark, { x, y }: Scale): string {
  const { color } = mark
  switch (mark.kind) {
    case "line":
      return path(
        `M${mark.points.map((p) => `${short(x(p.x))},${short(y(p.y))}`).join(" L")}`,
        color,
        mark.width,
        mark.dashed,
      )
    case "steps":
      return path(
        mark.points
          .map((p, i) =>
            i === 0 ? `M${short(x(p.x))},${short(y(p.y))}` : `H${short(x(p.x))} V${short(y(p.y))}`,
          )
          .join(" "),
        color,
      )
    case "band": {
      const above = mark.points.map((p) => `${short(x(p.x))},${short(y(p.high))}`)
      const below = mark.points.map((p) => `${short(x(p.x))},${short(y(p.low))}`).reverse()
      const points = [...above, ...below].join(" ")
      return element("polygon", { points, fill: color, "fill-opacity": 0.18, stroke: "none" })
    }
    case "whiskers":
      return path(
        mark.points
          .map((p) => {
            const [at, low, high] = [x(p.x), short(y(p.low)), short(y(p.high))]
            const cap = `${short(at - 4)},`
            return `M${short(at)},${low} V${high} M${cap}${low} h8 M${cap}${high} h8`
          })
          .join(" "),
        color,
        1.5,
      )
    case "notches":
      return path(mark.points.map((p) => `M${short(x(p.x))},${short(y(p.y) - 4)} v8`).join(" "), color, 1.2)
    case "dots":
      return mark.points
        .map((p) =>
          element("circle", {
            cx: x(p.x),
            cy: y(p.y),
            r: mark.radius ?? 4,
            fill: color,
            "fill-opacity": mark.faint ? 0.45 : undefined,
          }),
        )
        .join("")
    case "bars":
      return mark.bars
        .map(({ from, to, height }) =>
          element("rect", {
            x: x(from),
            y: y(height),
            width: Math.max(0, x(to) - x(from) - 1),
            height: Math.max(0, y(0) - y(height)),
            fill: color,
            "fill-opacity": 0.7,
          }),
        )
        .join("")
    default:
      return mark satisfies never
  }
}

/** The sign of a mark in the legend, about `left`, at the height of the words' middle. */
export function sign(mark: Mark, left: number, middle: number): string {
  const { color } = mark
  if (mark.kind === "dots") return element("circle", { cx: left + 11, cy: middle, r: 4, fill: color })
  if (mark.kind === "band" || mark.kind === "bars") {
    const opacity = mark.kind === "band" ? 0.25 : 0.7
    return element("rect", {
      x: left,
      y: middle - 5,
      width: 22,
      height: 10,
      fill: color,
      "fill-opacity": opacity,
    })
  }
  const upright = mark.kind === "whiskers" || mark.kind === "notches"
  const d = upright ? `M${left + 11},${middle - 6} v12` : `M${left},${middle} h22`
  return path(d, color, 2, mark.kind === "line" && mark.dashed)
}

function path(d: string, color: string, width = 2, dashed = false): string {
  return element("path", {
    d,
    fill: "none",
    stroke: color,
    "stroke-width": width,
    "stroke-linejoin": "round",
    "stroke-dasharray": dashed ? "5 4" : undefined,
  })
}
