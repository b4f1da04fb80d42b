import { type Axis, ticksOf } from "./axis.ts"
import { draw, type Mark, type Place, type Scale, scaleOf } from "./marks.ts"
import { element, short, text } from "./svg.ts"

/** One pair of axes with what is drawn on them. */
export interface Panel {
  x: Axis
  y: Axis
  /** Later ones lie above earlier ones, and lines and dots above areas. */
  marks: Mark[]
}

/** Pixels around the axes: numbers and words of the left one, and of the lower one. */
export const margin = { left: 66, right: 18, bottom: 50 }

/** Draws a panel so that its axes frame `place`; the numbers and words stand outside of it. */
export function drawPanel({ x, y, marks }: Panel, place: Place, id: string): string {
  const { left, top, width, height } = place
  const scale = scaleOf(place, x, y)
  const box = { x: left, y: top, width, height }
  const areas = marks.filter(isArea)
  const others = marks.filter((mark) => !isArea(mark))
  const clipped = (to: string, drawn: Mark[]) =>
    element("g", { "clip-path": `url(#${to})` }, ...drawn.map((mark) => draw(mark, scale)))
  return [
    element("clipPath", { id }, element("rect", box)),
    // A little room, so that dots and lines on the border are whole.
    element(
      "clipPath",
      { id: `${id}-wide` },
      element("rect", { x: left - 5, y: top - 5, width: width + 10, height: height + 10 }),
    ),
    grid(x, y, place, scale),
    clipped(id, areas),
    element("rect", { ...box, fill: "none", stroke: "#444" }),
    clipped(`${id}-wide`, others),
    text(left + width / 2, top + height + 40, x.label, { anchor: "middle", width: width + 40 }),
    text(left - 48, top + height / 2, y.label, { anchor: "middle", turn: -90, width: height + 20 }),
  ].join("")
}

function grid(x: Axis, y: Axis, place: Place, scale: Scale): string {
  const { left, top, width, height } = place
  const bottom = top + height
  const light = { fill: "none", stroke: "#e4e4e4" }
  return [
    ...ticksOf(x).flatMap(({ at, words }) => [
      element("path", { d: `M${short(scale.x(at))},${short(top)} V${short(bottom)}`, ...light }),
      text(scale.x(at), bottom + 18, words, { size: 12, anchor: "middle", color: "#444" }),
    ]),
    ...ticksOf(y).flatMap(({ at, words }) => [
      element("path", { d: `M${short(left)},${short(scale.y(at))} H${short(left + width)}`, ...light }),
      text(left - 8, scale.y(at) + 4, words, { size: 12, anchor: "end", color: "#444" }),
    ]),
  ].join("")
}

function isArea({ kind }: Mark): boolean {
  return kind === "band" || kind === "bars"
}
